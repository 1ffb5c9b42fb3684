"""The protocol of a run beside the paper's: what the label of its rows names.

The paper's number belongs beside a row of the paper's own label alone. So a
label names every field of a config that can change a result, and differs.
"""

import itertools
from typing import Any, Iterable

from mixup_jax.recipes import ranges

# What cannot change the number of one network: where things lie, how many
# networks there are and which, and in what portions they are worked on.
NEUTRAL = frozenset(
  {
    *("data_dir", "networks", "workers", "max_bad_share", "num_shown"),
    *("seeds", "first_seed", "seeds_at_once", "seeds_per_device"),
    *("eval_every", "save_every", "eval_batch_size", "steps_per_dispatch"),
    *("dataset", "datasets", "method", "methods", "rows", "cells"),
  }
)
# What the labels of methods name themselves.
OF_METHODS = frozenset(
  f"mix.{name}"
  for name in (
    "name",
    *("alpha", "epsilon", "sigma", "layers", "scale", "decay", "eta"),
  )
)
# Sets of ours are small, so that these are of our choice as well.
SIZES = frozenset({"epochs", "batch_size", "learning_rate", "warmup_epochs"})


def setting(name: str, config: Any, paper: Any, **options: Any) -> str:
  """Returns a name, followed by the overrides relative to the paper's config.

  Args:
    name: The name, such as that of the set.
    config: The config of the run.
    paper: The paper's.
    **options: As in `overrides`.

  Returns:
    Words such as "cifar10, preact_resnet18 (width 8, epochs 10)".
  """
  words = overrides(config, paper, **options)
  return f"{name} ({', '.join(words)})" if words else name


def overrides(
  config: Any, paper: Any, *, named: Iterable[str] = ()
) -> list[str]:
  """Names all fields that can change a result and are not the paper's.

  Args:
    config: The config of the run. A field of it whose parent the paper's config
      lacks belongs to another section, and is passed over.
    paper: The paper's config of the same section and network.
    named: Fields that the label names elsewhere, such as "epochs" or
      "model.name", besides `NEUTRAL` and `OF_METHODS`.

  Returns:
    Words such as "width 8", those of the model first.
  """
  ours, theirs = dict(ranges.leaves(config)), dict(ranges.leaves(paper))
  known = set(theirs) | {name.rpartition(".")[0] for name in theirs} - {""}
  differ = [
    name
    for name, value in ours.items()
    if name not in {*NEUTRAL, *OF_METHODS, *named}
    and {name, name.rpartition(".")[0]} & known
    and (name not in theirs or theirs[name] != value)
  ]
  return [_words(name, ours[name]) for name in sorted(differ, key=_place)]


def grid(config: Any) -> dict[str, Any]:
  """Returns a config for each combination of the values in `config.grid`.

  Args:
    config: The config. In its `grid` the fields that vary have the names and
      places of those of the config, and tuples of values. An empty one gives
      the config alone.

  Returns:
    The configs, by the values that they have, such as "torch, none, 0.5", or
    by "" if there are none.

  Raises:
    ValueError: If a field has no value.
  """
  fields = dict(ranges.leaves(config.grid))
  for name, values in fields.items():
    if not values:
      raise ValueError(f"config.grid.{name} is empty: give at least a value.")
  made = {}
  for values in itertools.product(*fields.values()):
    one = config.copy_and_resolve_references()
    one.update_from_flattened_dict(dict(zip(fields, values)))
    made[", ".join(map(_text, values))] = one
  return made


def _place(name: str) -> tuple[int, str]:
  """Returns where an override stands: the model first, the data last."""
  order = ("model.", "augment", "num_")
  ranks = {start: rank for start, rank in zip(order, (0, 2, 3))}
  return next((r for s, r in ranks.items() if name.startswith(s)), 1), name


def _words(name: str, value: Any) -> str:
  """Returns an override in words."""
  phrases = {
    "augment": "no augmentation",
    "num_train": f"{value} training images",
    "num_pairs": f"{value} pairs",
    "num_images": f"{value} images",
  }
  parent, _, last = name.rpartition(".")
  if parent == "model":
    return f"{last} {value}"  # As the field is spelled.
  if last == "name":
    return f"{parent} {value}"
  return phrases.get(name, f"{last.replace('_', ' ')} {_text(value)}")


def _text(value: Any) -> str:
  """Returns a value as a label shows it."""
  if isinstance(value, tuple):
    words = [_text(each) for each in value]
    return words[0] if len(words) == 1 else f"({', '.join(words)})"
  return f"{value:g}" if isinstance(value, float) else str(value)
