"""Seeds that are trained side by side, and what was measured of them."""

import json
import pathlib
import time
from typing import Any, Callable, NamedTuple, TypedDict

import jax
import numpy as np

from experiments.vae_mixing import problems
from experiments.vae_mixing import seeds
from experiments.vae_mixing import strip
from mixup_jax import results
from mixup_jax.models import vae
from mixup_jax.results import recorder as records
from mixup_jax.train import backend


class Prepared(NamedTuple):
  """What a set needs to be run, checked."""

  source: problems.Source
  encoder: vae.VAE
  autoencoder: seeds.Program
  classifiers: dict[str, seeds.Program]


class Group(TypedDict):
  """What came out of some seeds, as it is written to a file.

  `measured` has a number a seed, by network ("vae" or a method) and by the name
  of what was measured; `losses` are means over the seeds, one an epoch.
  """

  measured: dict[str, dict[str, list[float]]]
  losses: dict[str, list[float]]
  picture: results.MixedInputs | None  # Of the first seed, if there are pixels.
  seconds: float


def once(path: pathlib.Path, train: Callable[[], Group]) -> Group:
  """Trains a group, or reads what came out of it: a run goes on after it."""
  if path.exists():
    return json.loads(path.read_text(encoding="utf-8"))
  group = train()
  if jax.process_index() == 0:
    path.parent.mkdir(exist_ok=True)
    records.replace(path, json.dumps(group))
  return group


def join(groups: list[Group]) -> dict[str, dict[str, np.ndarray]]:
  """Returns what was measured of all seeds, `[seeds]` each."""
  parts = [group["measured"] for group in groups]
  return {
    key: {
      what: np.concatenate([part[key][what] for part in parts])
      for what in values
    }
    for key, values in parts[0].items()
  }


def train(
  config: Any, parts: Prepared, group: slice, on_epoch: Callable[[], object]
) -> Group:
  """Trains and measures all networks of some seeds.

  Args:
    config: The config.
    parts: The set and its programs.
    group: Which seeds of the set.
    on_epoch: Called at the end of each epoch of each training.

  Returns:
    What came out.

  Raises:
    FloatingPointError: If a loss is not finite.
  """
  problem = problems.take(parts.source.problem, group)
  numbers = np.arange(config.first_seed, config.first_seed + config.seeds)[
    group
  ]
  dispatch = backend.steps_per_dispatch(config.steps_per_dispatch)
  params: Any = ()
  begin = time.perf_counter()
  made = Group(measured={}, losses={}, picture=None, seconds=0.0)
  for key, program in ({"vae": parts.autoencoder} | parts.classifiers).items():
    state, loss = seeds.train(
      program,
      problem,
      numbers,
      given=params,
      epochs=config.vae_epochs if key == "vae" else config.epochs,
      batch_size=config.batch_size,
      steps_per_dispatch=dispatch,
      on_epoch=on_epoch,
    )
    if key == "vae":
      params = state.params
    found = seeds.measure(
      program, problem, numbers, state, batch_size=config.eval_batch_size
    )
    made["measured"][key] = {what: x.tolist() for what, x in found.items()}
    made["losses"][key] = loss.mean(0).tolist()
  if parts.source.picture and not group.start:
    first = jax.jit(lambda tree: jax.tree.map(lambda x: x[0], tree))
    made["picture"] = strip.make(
      parts.source, parts.encoder, first(params), count=config.num_shown
    )
  made["seconds"] = time.perf_counter() - begin
  return made
