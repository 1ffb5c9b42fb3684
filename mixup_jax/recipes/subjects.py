"""Networks to evaluate: ERM and a transform, of section 3.2 or of 3.1."""

from typing import Any, Iterator, NamedTuple, Sequence

import flax.linen as nn
import numpy as np

from mixup_jax import models
from mixup_jax import results
from mixup_jax import transforms
from mixup_jax.data.streaming import batches
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import pretrained
from mixup_jax.recipes import protocol
from mixup_jax.recipes import streaming
from mixup_jax.runtime import storage
from mixup_jax.train import backend
from mixup_jax.train.program import Program
from mixup_jax.train.state import TrainState


class Subjects(NamedTuple):
  """Networks to evaluate, which may have yet to be trained.

  Attributes:
    config: That the networks are, or were, trained with.
    data: Their set: an `images.ImageSet`, or a `batches.StreamSet`.
    model: The classifier of all of them.
    programs: The program of each method, ERM first.
  """

  config: Any
  data: Any
  model: nn.Module
  programs: dict[results.Method, Program]


class Network(NamedTuple):
  """A trained network, and in how many seconds this run trained it."""

  method: results.Method
  seed: int
  state: TrainState
  seconds: float


def find(
  config: Any, sections: Sequence[str] = pretrained.SECTIONS
) -> Subjects:
  """Finds the networks of the run that a config names, or those to train.

  Args:
    config: The config of this run, with `networks`.
    sections: Whose runs will do; of them "imagenet" streams its images.

  Returns:
    The networks.

  Raises:
    ValueError: If that is no finished run of such networks, a checkpoint is
      missing, or a value of the config is out of its range.
    FileNotFoundError: If their set has not been prepared.
    OSError: If all checkpoints of a network are damaged.
  """
  theirs = pretrained.trained_as(config, sections)
  if _streams(theirs):
    data: Any = batches.load(theirs.dataset, theirs.data_dir or None)
  else:
    data = in_memory.load(theirs)
  found = make(theirs, data)
  pretrained.check(config, theirs, found.programs)
  return found


def make(config: Any, data: Any) -> Subjects:
  """Builds both methods of a config for a set.

  Args:
    config: That the networks are trained with, one of `configs/cifar.py` or of
      `configs/imagenet.py`.
    data: The set, which may differ from that of the config in its rows.

  Returns:
    The networks.

  Raises:
    TypeError: If alpha is not a number.
    ValueError: If a value of the config is out of its range.
  """

  def program(method: results.Method) -> Program:
    if not _streams(config):
      return in_memory.make_program(config, data, method)
    return streaming.make_program(
      config,
      method,
      num_train=len(data.train),
      num_classes=data.num_classes,
      mean=data.mean,
      std=data.std,
    )

  transforms.check_alpha(config.mix.alpha)
  model = models.build(
    num_classes=data.num_classes,
    dtype=backend.compute_dtype(config.precision),
    **config.model,
  )
  methods = pretrained.methods(config)
  return Subjects(
    config, data, model, {each: program(each) for each in methods}
  )


def trained(
  config: Any, subjects: Subjects, workdir: storage.Path
) -> Iterator[Network]:
  """Trains the networks one by one, or reads those of another run.

  Args:
    config: The config of this run.
    subjects: The networks.
    workdir: The directory of this run, below which it trains.

  Yields:
    The networks of each method, by rising seed.

  Raises:
    FloatingPointError: If a loss is not finite.
    Stopped: If the process was asked to stop; the state is saved.
    OSError: If a checkpoint is gone.
  """
  for method, program in subjects.programs.items():
    for seed in in_memory.seeds(subjects.config):
      state, seconds = pretrained.get(
        config, program, subjects.data, method, seed, workdir
      )
      yield Network(method, seed, state, seconds)


def examples(subjects: Subjects, count: int) -> tuple[np.ndarray, np.ndarray]:
  """Returns the first images that the networks are tested on, and their labels.

  Args:
    subjects: The networks.
    count: The number of images; 0 is all.

  Returns:
    `[images, height, width, channels]` uint8 and `[images]` int32 class ids.

  Raises:
    ValueError: If there are fewer images, or a label is no class.
  """
  data, streams = subjects.data, _streams(subjects.config)
  known = len(data.validation if streams else data.test_labels)
  if not 0 <= count <= known:
    raise ValueError(
      f"config.num_images={count}, but {data.name} has {known} test images: 0 "
      "takes all."
    )
  count = count or known
  if streams:
    images, labels = _decoded(subjects, count)
  else:
    images, labels = data.test_images[:count], data.test_labels[:count]
  outside = labels[(labels < 0) | (labels >= data.num_classes)]
  if outside.size:
    raise ValueError(
      f"{data.name} has the label {outside[0]}, but only {data.num_classes} "
      "classes: prepare the set anew."
    )
  return images, labels


def setting(config: Any, paper: Any) -> str:
  """Names set and network, and overrides relative to the paper's config.

  Args:
    config: That the networks are trained with.
    paper: That of the paper for the same network.

  Returns:
    Words such as "cifar10, preact_resnet18 (width 8, epochs 10)".
  """
  if not _streams(config):
    return in_memory.setting(config, paper)
  name = f"{config.dataset}, {config.model.name}"
  # The paper does not state for how long it trained networks to attack.
  return protocol.setting(name, config, paper, named=("epochs", "decay_at"))


def _decoded(subjects: Subjects, count: int) -> tuple[np.ndarray, np.ndarray]:
  """Decodes the first validation images that can be read."""
  images, labels = [], []
  for batch in batches.eval_batches(
    subjects.data,
    batch_size=min(count, subjects.config.eval_batch_size),
    image_size=subjects.config.image_size,
  ):
    images.append(batch["images"][batch["where"]])
    labels.append(batch["labels"][batch["where"]])
    if sum(map(len, labels)) >= count:
      break
  return np.concatenate(images)[:count], np.concatenate(labels)[:count]


def _streams(config: Any) -> bool:
  """Returns whether networks of a config see images that are streamed."""
  return "image_size" in config
