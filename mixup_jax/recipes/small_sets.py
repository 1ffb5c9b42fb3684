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
    The problem, with `config.num_train` training examples if that is not 0.

  Raises:
    ValueError: If there is no such set, or the split leaves nothing.
    FileNotFoundError: If it has not been prepared.
  """
  split = {
    "seeds": in_memory.seeds(config),
    "train_fraction": config.train_fraction,
  }
  if name in images.IMAGE_SETS:
    problem = problems.split_images(
      images.load(name, config.data_dir or None),
      flat=config.model.name == "mlp",
      **split,
    )
  else:
    table = tables.encode(
      tables.load(name, config.data_dir or None),
      categorical=config.categorical,
      missing=config.missing,
    )
    problem = problems.split_table(table, scaling=config.scaling, **split)
  count = problem.splits.train_rows.shape[1]
  num_train = config.get("num_train", 0) or count
  if num_train > count:
    raise ValueError(
      f"config.num_train={num_train}, but {name} has {count} training "
      "examples: 0 takes all."
    )
  return problem.limit(num_train)
