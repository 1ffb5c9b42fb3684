"""Autoencoders, and classifiers that learn from what these make of the inputs.

A config here is one of `configs/vae_mixing.py`. Seeds are trained in groups,
side by side.
"""

import functools
import itertools
from typing import Any, Callable, cast, Iterator, Mapping, NamedTuple, TypedDict

import jax
import numpy as np

from mixup_jax import models
from mixup_jax import results
from mixup_jax.data import problems
from mixup_jax.models import vae
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import small_sets
from mixup_jax.runtime import jobs
from mixup_jax.runtime import preemption
from mixup_jax.runtime import storage
from mixup_jax.train import autoencoder
from mixup_jax.train import backend
from mixup_jax.train import dispatch
from mixup_jax.train import optim
from mixup_jax.train import side_by_side
from mixup_jax.train import trial
from mixup_jax.transforms import Transform

PyTree = Any
VAE = results.Method("vae", "the VAE")
# Takes an autoencoder and its parameters; None is ERM.
MakeTransform = Callable[[vae.VAE, PyTree], Transform | None]


class Prepared(NamedTuple):
  """What is trained on a set.

  Attributes:
    problem: The set.
    unlabelled: The same set, with the rows that the autoencoder learns from.
    encoder: The autoencoder.
    programs: That of the autoencoder first, then that of each classifier.
    seeds_at_once: How many seeds are trained side by side.
  """

  problem: problems.Problem
  unlabelled: problems.Problem
  encoder: vae.VAE
  programs: dict[results.Method, dispatch.Program]
  seeds_at_once: int


class Group(TypedDict):
  """What some seeds gave, as it is written to a file.

  Attributes:
    measured: A number a seed, by the key of the network and by name.
    losses: The mean over the seeds, one an epoch, by the key of the network.
    mixed_inputs: Those of the first seed, if the set is of images.
    seconds: How long it took.
  """

  measured: dict[str, dict[str, list[float]]]
  losses: dict[str, list[float]]
  mixed_inputs: results.MixedInputs | None
  seconds: float


def prepare(
  config: Any,
  problem: problems.Problem,
  transforms: Mapping[results.Method, MakeTransform],
) -> Prepared:
  """Builds the programs of all networks of a set.

  Args:
    config: The config.
    problem: The set, with all training rows.
    transforms: Makes what the classifier of each method mixes with.

  Returns:
    The networks of the set.

  Raises:
    ValueError: If there is no such model, or it cannot have such a size, or the
      set has fewer training rows.
    TypeError: If the model has no such field.
  """
  encoder = vae.VAE(shape=problem.features.shape[1:], **config.vae)
  tx = optim.build("adam", learning_rate=config.learning_rate)
  model = models.build(num_classes=problem.num_classes, **config.model)
  networks = {VAE: autoencoder.network(encoder, tx)}
  for method, make in transforms.items():
    bound = functools.partial(make, encoder)
    networks[method] = trial.classifier(model, tx, transform=bound)
  prepared = Prepared(
    problem=small_sets.limit(config, "num_train", problem),
    unlabelled=small_sets.limit(config, "vae_num_train", problem),
    encoder=encoder,
    programs={key: dispatch.make_program(x) for key, x in networks.items()},
    seeds_at_once=0,
  )
  at_once = config.seeds_at_once or side_by_side.choose(
    config.seeds, on_cpu=20, lower=functools.partial(_lower, config, prepared)
  )
  return prepared._replace(seeds_at_once=at_once)


def _lower(
  config: Any, prepared: Prepared, seeds: int
) -> Iterator[jax.stages.Lowered]:
  """Lowers the programs of all networks, for a number of seeds."""
  params: PyTree = ()
  for method, program in prepared.programs.items():
    state, lowered = dispatch.lower(
      program,
      _learned(prepared, method),
      seeds,
      options=params,
      batch_size=config.batch_size,
      steps_per_dispatch=backend.steps_per_dispatch(config.steps_per_dispatch),
      eval_batch_size=config.eval_batch_size,
    )
    if method == VAE:
      params = state.params
    yield from lowered


def epochs(config: Any, prepared: Prepared) -> int:
  """Returns how many epochs all groups of a set have, over all networks."""
  return len(_starts(config, prepared)) * _epochs_of_group(config, prepared)


def train(
  config: Any,
  prepared: Prepared,
  workdir: storage.Path,
  *,
  show: Callable[[PyTree], results.MixedInputs | None],
  on_epochs: Callable[[int], object],
) -> Iterator[tuple[int, Group]]:
  """Trains the groups of seeds of a set, or reads those that have ended.

  Args:
    config: The config.
    prepared: The networks of the set.
    workdir: Where the groups of this set are written to.
    show: Takes the parameters of an autoencoder, that of the first seed.
    on_epochs: Called with the number of epochs that have just ended.

  Yields:
    The position of the first seed of a group, and what the group gave.

  Raises:
    FloatingPointError: If a loss is not finite.
    Stopped: If the process was asked to stop; groups that ended are saved.
  """
  for start in _starts(config, prepared):
    seeds = slice(start, min(start + prepared.seeds_at_once, config.seeds))
    # Other devices make other groups: both ends are in the name.
    path = workdir / f"seeds_{start}_to_{seeds.stop - 1}.json"
    if path.exists():
      on_epochs(_epochs_of_group(config, prepared))
    group = functools.partial(
      train_group, config, prepared, seeds, show=show, on_epochs=on_epochs
    )
    yield start, cast(Group, jobs.kept(path, group))


def train_group(
  config: Any,
  prepared: Prepared,
  group: slice,
  *,
  show: Callable[[PyTree], results.MixedInputs | None],
  on_epochs: Callable[[int], object],
) -> dict[str, Any]:
  """Trains and measures all networks of some seeds, side by side.

  Args:
    config: The config.
    prepared: The networks of the set.
    group: Which of its seeds.
    show: As in `train`; so is the last.
    on_epochs: Called after each epoch.

  Returns:
    What they gave, as in `Group` but for the seconds.

  Raises:
    FloatingPointError: If a loss is not finite.
    Stopped: If the process was asked to stop; nothing of the group is saved.
  """
  seeds = np.asarray(in_memory.seeds(config))[group]
  params: PyTree = ()
  made: dict[str, Any] = {"measured": {}, "losses": {}, "mixed_inputs": None}

  left = itertools.count(_epochs_of_group(config, prepared) - 1, -1)

  def on_epoch() -> None:
    on_epochs(1)
    if next(left):  # After the last epoch the group is kept in a moment.
      preemption.check(lost=f"the group from seed {seeds[0]} on")

  for method, program in prepared.programs.items():
    problem = _learned(prepared, method).take(group)
    state, loss = dispatch.train(
      program,
      problem,
      seeds,
      options=params,
      epochs=config.vae_epochs if method == VAE else config.epochs,
      batch_size=config.batch_size,
      steps_per_dispatch=backend.steps_per_dispatch(config.steps_per_dispatch),
      on_epoch=on_epoch,
    )
    if method == VAE:
      params = state.params
    found = dispatch.measure(
      program, problem, seeds, state, batch_size=config.eval_batch_size
    )
    made["measured"][method.key] = {k: x.tolist() for k, x in found.items()}
    made["losses"][method.key] = loss.mean(0).tolist()
    del state  # Before the next network takes its memory.
  if prepared.problem.image_shape and not group.start:
    first = jax.jit(lambda tree: jax.tree.map(lambda x: x[0], tree))
    made["mixed_inputs"] = show(first(params))
  return made


def join(groups: list[Group]) -> dict[str, dict[str, np.ndarray]]:
  """Returns what was measured of all seeds: `[seeds]`, by key and by name."""
  parts = [group["measured"] for group in groups]
  return {
    key: {
      # A NaN that has been in a file is None.
      name: np.concatenate([np.asarray(x[key][name], float) for x in parts])
      for name in values
    }
    for key, values in parts[0].items()
  }


def _learned(prepared: Prepared, method: results.Method) -> problems.Problem:
  """Returns the set with the training rows of a network."""
  return prepared.unlabelled if method == VAE else prepared.problem


def _starts(config: Any, prepared: Prepared) -> range:
  """Returns the position of the first seed of each group."""
  return range(0, config.seeds, prepared.seeds_at_once)


def _epochs_of_group(config: Any, prepared: Prepared) -> int:
  """Returns how many epochs the networks of a group train, together."""
  return config.vae_epochs + config.epochs * (len(prepared.programs) - 1)
