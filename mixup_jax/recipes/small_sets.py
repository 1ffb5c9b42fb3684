"""Loads a table, or small images, with a split for each seed of a config."""

from typing import Any

from mixup_jax.data import problems
from mixup_jax.data.in_memory import images
from mixup_jax.data.in_memory import tables
from mixup_jax.recipes import in_memory


def load(config: Any, name: str) -> problems.Problem:
  """Loads a set, and splits it once a seed.

  Args:
    config: The config.
    name: One of `images.IMAGE_SETS` or `tables.TABLES`.

  Returns:
    The problem, with all training rows of each split.

  Raises:
    ValueError: If there is no such set, or the split leaves nothing.
    FileNotFoundError: If it has not been prepared.
  """
  split = {
    "seeds": in_memory.seeds(config),
    "train_fraction": config.train_fraction,
  }
  if name in images.IMAGE_SETS:
    return problems.split_images(
      images.load(name, config.data_dir or None),
      flat=config.model.name == "mlp",
      **split,
    )
  table = tables.encode(
    tables.load(name, config.data_dir or None),
    categorical=config.categorical,
    missing=config.missing,
  )
  return problems.split_table(table, scaling=config.scaling, **split)


def limit(
  config: Any, field: str, problem: problems.Problem
) -> problems.Problem:
  """Returns a set with as many training rows as a field of a config says.

  Args:
    config: The config.
    field: The name of the field; 0 takes all rows.
    problem: The set.

  Returns:
    The set, with the first training rows of each split.

  Raises:
    ValueError: If it has fewer.
  """
  count = problem.splits.train_rows.shape[1]
  if config[field] > count:
    raise ValueError(
      f"config.{field}={config[field]}, but {problem.name} has {count} "
      "training examples: 0 takes all."
    )
  return problem.limit(config[field] or count)
