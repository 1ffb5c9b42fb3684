"""The networks that are attacked, and the images: of section 3.2, or of 3.1."""

from typing import Any, NamedTuple

import flax.linen as nn
import numpy as np

from mixup_jax import models
from mixup_jax import sharding
from mixup_jax.data.streaming import batches
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import pretrained
from mixup_jax.recipes import streaming as streaming_recipe
from mixup_jax.train import backend
from mixup_jax.train import run as runs

Examples = tuple[np.ndarray, np.ndarray]


class Subjects(NamedTuple):
  """What is attacked, checked.

  Attributes:
    config: That the networks are, or were, trained with.
    data: Their set, with its `mean` and `std`.
    programs: The program of each method.
    model: The classifier of all of them.
    examples: The images, uint8, and their labels.
  """

  config: Any
  data: Any
  programs: dict[str, runs.Program]
  model: nn.Module
  examples: Examples


def find(config: Any) -> Subjects:
  """Loads what a config names, and builds a program for each method.

  Args:
    config: The config, with `networks` and `num_images`.

  Returns:
    The subjects.

  Raises:
    ValueError: If networks or images are not there, or cannot be attacked.
    FileNotFoundError: If their set has not been prepared.
  """
  theirs = pretrained.trained_as(config, (*pretrained.SECTIONS, "imagenet"))
  if theirs.seeds < 2:
    raise ValueError(
      "a black box needs a second network of ERM, got "
      f"seeds={theirs.seeds}: use two or more."
    )
  found = (
    _streamed(config, theirs)
    if "image_size" in theirs
    else _in_memory(config, theirs)
  )
  labels, classes = found.examples[1], found.data.num_classes
  outside = labels[(labels < 0) | (labels >= classes)]
  if outside.size:
    raise ValueError(
      f"{found.data.name} has the label {outside[0]}, but only "
      f"{classes} classes: prepare the set anew."
    )
  pretrained.check(config, theirs, found.programs)
  return found


def _in_memory(config: Any, theirs: Any) -> Subjects:
  """Finds networks of section 3.2, and the first test images."""
  data = in_memory.load(theirs)
  _check_count(config.num_images, len(data.test_labels), data.name)
  model = models.build(
    num_classes=data.num_classes,
    dtype=backend.compute_dtype(theirs.precision),
    **theirs.model,
  )
  made: dict[str, runs.Program] = {
    name: in_memory.make_program(
      theirs, data, transform=in_memory.mixing(theirs, alpha)
    )
    for name, alpha in pretrained.methods(theirs.alpha).items()
  }
  rows = slice(config.num_images or None)
  return Subjects(
    theirs, data, made, model, (data.test_images[rows], data.test_labels[rows])
  )


def _streamed(config: Any, theirs: Any) -> Subjects:
  """Finds networks of section 3.1, and the first validation images."""
  data = batches.load(theirs.dataset, theirs.data_dir or None)
  known = len(data.validation)
  _check_count(config.num_images, known, data.name)
  count = config.num_images or known
  size = min(count, theirs.eval_batch_size)
  images, labels = [], []
  for batch in batches.eval_batches(
    data, batch_size=size, image_size=theirs.image_size
  ):
    images.append(batch["images"][batch["where"]])
    labels.append(batch["labels"][batch["where"]])
    if sum(map(len, labels)) >= count:
      break
  made: dict[str, runs.Program] = {
    name: streaming_recipe.make_program(
      theirs,
      alpha,
      num_train=len(data.train),
      num_classes=data.num_classes,
      mean=data.mean,
      std=data.std,
      mesh=sharding.make_mesh(),
    )
    for name, alpha in pretrained.methods(theirs.alpha).items()
  }
  return Subjects(
    theirs,
    data,
    made,
    streaming_recipe.make_model(theirs, num_classes=data.num_classes),
    (np.concatenate(images)[:count], np.concatenate(labels)[:count]),
  )


def _check_count(count: int, known: int, name: str) -> None:
  """Raises unless there are so many images."""
  if not 0 <= count <= known:
    raise ValueError(
      f"config.num_images={count}, but {name} has {known} test "
      "images: 0 takes all."
    )
