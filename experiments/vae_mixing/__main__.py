"""Can data be mixed well by mixing what a trained VAE decodes?

    python -m experiments.vae_mixing
    python -m experiments.vae_mixing --config=configs/vae_mixing.py:smoke

For each seed a variational autoencoder is trained on the training inputs, and
then, with the same split, weights and order of the data, a classifier a method:
ERM, input mixup, mixing of codes that are decoded, mixing of reconstructions,
manifold mixup, and reconstructions that are not mixed. For the same seed, all
but manifold mixup draw the same pairs and weights. It ends with what each
method adds to the error of input mixup.
"""

import functools
import pathlib
from typing import Any, NamedTuple

import jax
import numpy as np
import tqdm

from experiments.vae_mixing import methods
from experiments.vae_mixing import problems
from experiments.vae_mixing import programs
from experiments.vae_mixing import seeds
from experiments.vae_mixing import strip
from experiments.vae_mixing import table
from mixup_jax import cli
from mixup_jax import platforms
from mixup_jax import records
from mixup_jax import results
from mixup_jax import transforms
from mixup_jax.models import vae

CONFIG = pathlib.Path(__file__).parents[2] / "configs" / "vae_mixing.py"
_LOWEST = {
    "seeds": 1,
    "seeds_at_once": 1,
    "first_seed": 0,
    "epochs": 1,
    "vae_epochs": 1,
    "batch_size": 2,
    "eval_batch_size": 1,
    "num_train": 0,
    "num_shown": 1
}

# By network, and by the name of what was measured: `[seeds]`.
Measured = dict[str, dict[str, np.ndarray]]


class Prepared(NamedTuple):
  """What a set needs to be run, checked."""
  source: problems.Source
  encoder: vae.VAE
  autoencoder: seeds.Program
  classifiers: dict[str, seeds.Program]


def prepare(config: Any) -> dict[str, Prepared]:
  """Checks the config, loads every set, and builds its programs."""
  transforms.check_alpha(config.alpha)
  for name, low in _LOWEST.items():
    if config[name] < low:
      raise ValueError(f"config.{name} must be at least {low}, got "
                       f"{config[name]}.")
  for name, hint in (("datasets", "a set such as 'digits'"),
                     ("layers", "at least one depth, such as 0")):
    if not config[name]:
      raise ValueError(f"config.{name} is empty: name {hint}.")
  platforms.steps_per_dispatch(config.steps_per_dispatch)
  chosen = methods.choose(config.methods)
  prepared = {}
  for name in config.datasets:
    source = problems.load(config, name)
    encoder = vae.VAE(shape=source.problem.features.shape[1:], **config.vae)
    make = functools.partial(programs.classifier,
                             config,
                             encoder=encoder,
                             num_classes=source.problem.num_classes)
    prepared[name] = Prepared(source, encoder,
                              programs.autoencoder(config, encoder),
                              {key: make(key) for key in chosen})
  return prepared


def run(config: Any, prepared: dict[str, Prepared],
        recorder: records.Recorder) -> results.Result:
  """Trains all networks of every set; returns rows and a picture."""
  rows: list[results.Row] = []
  pictures: list[results.MixedInputs] = []
  groups = range(0, config.seeds, config.seeds_at_once)
  each = config.vae_epochs + config.epochs * len(methods.choose(config.methods))
  total = len(prepared) * len(groups) * each
  with tqdm.tqdm(total=total, unit="epoch") as progress:
    for name, parts in prepared.items():
      progress.set_postfix_str(name)
      found = []
      for start in groups:
        measured, params = train(config, parts, recorder, f"{name}/{start}",
                                 slice(start, start + config.seeds_at_once),
                                 progress.update)
        found.append(measured)
        if parts.source.picture and not start:
          pictures.append(
              strip.make(parts.source,
                         parts.encoder,
                         params,
                         count=config.num_shown))
      whole = {
          key: {
              what: np.concatenate([part[key][what]
                                    for part in found])
              for what in values
          } for key, values in found[0].items()
      }
      rows += table.rows(config, setting(config, name), whole.pop("vae"), {
          key: x["error"] for key, x in whole.items()
      })
  result: results.Result = {"rows": rows, "layout": table.LAYOUT}
  if pictures:
    result["mixed_inputs"] = pictures[0]
  return result


def train(config: Any, parts: Prepared, recorder: records.Recorder, name: str,
          group: slice, on_epoch: Any) -> tuple[Measured, Any]:
  """Trains and measures all networks of some seeds.

  Args:
    config: The config.
    parts: The set and its programs.
    recorder: Takes the mean loss of each network over the epochs.
    name: What the names of these begin with.
    group: Which seeds of the set.
    on_epoch: Called at the end of each epoch of each training.

  Returns:
    What was measured of "vae" and of each method, `[seeds]` by name, and the
    parameters of the autoencoder of the first seed.
  """
  problem = problems.take(parts.source.problem, group)
  numbers = np.arange(config.first_seed,
                      config.first_seed + config.seeds)[group]
  dispatch = platforms.steps_per_dispatch(config.steps_per_dispatch)
  params: Any = ()
  found = {}
  for key, program in ({"vae": parts.autoencoder} | parts.classifiers).items():
    state, loss = seeds.train(
        program,
        problem,
        numbers,
        given=params,
        epochs=config.vae_epochs if key == "vae" else config.epochs,
        batch_size=config.batch_size,
        steps_per_dispatch=dispatch,
        on_epoch=on_epoch)
    if key == "vae":
      params = state.params
    found[key] = seeds.measure(program,
                               problem,
                               numbers,
                               state,
                               batch_size=config.eval_batch_size)
    for epoch, value in enumerate(loss.mean(0), start=1):
      recorder.metrics(epoch, {f"{name}/{key}/loss": value})
  first = jax.jit(lambda tree: jax.tree.map(lambda x: x[0], tree))
  return found, first(params)


def setting(config: Any, name: str) -> str:
  """Names the set, and a network of images with its size."""
  if name != "cifar10":
    return name
  sizes = [f"{key} {value}" for key, value in config.model.items()
           if key != "name"]  # yapf: disable
  sizes += ["no augmentation"]
  if config.num_train:
    sizes += [f"{config.num_train} training images"]
  return f"{name}, {config.model.name} ({', '.join(sizes)})"


if __name__ == "__main__":
  cli.launch("vae_mixing", prepare=prepare, run=run, config_file=CONFIG)
