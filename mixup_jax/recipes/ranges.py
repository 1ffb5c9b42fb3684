"""The range of every number in a config, by the name of its field."""

import math
import numbers
from typing import Any, Iterator, NamedTuple


class Range(NamedTuple):
  """An interval.

  Attributes:
    low: The lowest value.
    high: The highest value.
    above: Whether the lowest value itself is excluded.
    below: Whether the highest is.
  """

  low: float
  high: float = math.inf
  above: bool = False
  below: bool = False

  def missed(self, value: float) -> str:
    """Returns which end a value misses, such as "at least 0"; "" for none."""
    if not (value > self.low if self.above else value >= self.low):  # Or NaN.
      words = "above" if self.above else "at least"
      return "finite" if self.low == -math.inf else f"{words} {self.low:.12g}"
    if not (value < self.high if self.below else value <= self.high):
      words = "below" if self.below else "at most"
      return "finite" if self.high == math.inf else f"{words} {self.high:.12g}"
    return ""


LAST_SEED = 2**32 - 1  # Of `jax.random.key`, and of NumPy's generators.
_COUNT = Range(1, 2**31 - 1)  # What devices count with.
_COUNT_OR_NONE = Range(0, 2**31 - 1)
_SIZE = Range(1, 2**16)  # Of a layer, an image: no array has more.
_EPOCHS = Range(1, 100_000)  # So that steps are counted in 32 bits.
_EPOCHS_OR_NONE = Range(0, 100_000)
_SEED = Range(0, LAST_SEED)
_SHARE = Range(0, 1)
_BELOW_1 = Range(0, 1, below=True)
_INSIDE = Range(0, 1, above=True, below=True)
_AMOUNT = Range(0, below=True)
_POSITIVE = Range(0, above=True, below=True)
_ALPHA = Range(0)  # Infinity mixes halves.

# By dotted name, or by the last part of it: a field of one name has one meaning
# in all configs. A tuple has the range of its elements.
RANGES: dict[str, Range] = {
  "seeds": _COUNT,
  **dict.fromkeys(("seeds_at_once", "seeds_per_device"), _COUNT_OR_NONE),
  **dict.fromkeys(("first_seed", "attack_seed", "held_out_seed"), _SEED),
  "noise_seed": Range(-1, LAST_SEED),  # -1 follows the seed.
  **dict.fromkeys(("epochs", "vae_epochs"), _EPOCHS),
  **dict.fromkeys(("decay_every", "eval_every"), _EPOCHS),
  "save_every": _AMOUNT,
  **dict.fromkeys(("plain_first_epochs", "plain_last_epochs"), _EPOCHS_OR_NONE),
  "warmup_epochs": _EPOCHS_OR_NONE,
  **dict.fromkeys(("batch_size", "eval_batch_size", "accumulation"), _COUNT),
  **dict.fromkeys(("iterations", "short_iterations", "steps"), _COUNT),
  **dict.fromkeys(("discriminator_steps", "measure_every"), _COUNT),
  **dict.fromkeys(("pgd_steps", "restarts", "snapshots"), _COUNT),
  **dict.fromkeys(("num_points", "num_shown", "num_lams", "k"), _COUNT),
  **dict.fromkeys(("num_train", "vae_num_train"), _COUNT_OR_NONE),
  **dict.fromkeys(("num_images", "num_pairs"), _COUNT_OR_NONE),
  **dict.fromkeys(("long_seeds", "steps_per_dispatch"), _COUNT_OR_NONE),
  **dict.fromkeys(("layers", "bn_group_size", "group_size"), _COUNT_OR_NONE),
  "workers": Range(-1, 2**16),
  **dict.fromkeys(("width", "widths", "depth", "growth", "heads"), _SIZE),
  **dict.fromkeys(("blocks", "hidden", "latent", "channels"), _SIZE),
  **dict.fromkeys(("patch_size", "image_size", "bins", "pixels"), _SIZE),
  **dict.fromkeys(("num_latents", "inner", "outer"), _SIZE),
  **dict.fromkeys(("max_bad_share", "probability", "mix.epsilon"), _SHARE),
  **dict.fromkeys(("mix.scale", "inference_lam"), _SHARE),
  "inference_pool": _COUNT,
  "inference_samples": _COUNT_OR_NONE,
  **dict.fromkeys(("average_decay", "dropout", "momentum"), _BELOW_1),
  "train_fraction": _SHARE,  # 0 leaves a set as it comes.
  **dict.fromkeys(("held_out", "decay_at"), _INSIDE),
  "mixed_share": Range(0, 1, above=True),
  **dict.fromkeys(("learning_rate", "learning_rates"), _POSITIVE),
  **dict.fromkeys(("decay_factor", "ratio", "limit"), _POSITIVE),
  **dict.fromkeys(("weight_decay", "weight_decays", "warmup_from"), _AMOUNT),
  **dict.fromkeys(("sigma", "noise", "mix.decay", "mix.eta"), _AMOUNT),
  **dict.fromkeys(("epsilon", "epsilons"), Range(0, 255)),  # Of pixels.
  **dict.fromkeys(("alpha", "alphas", "cells"), _ALPHA),
}
_OTHERS = Range(-math.inf, above=True, below=True)  # Any finite number.


def check(config: Any) -> None:
  """Raises ValueError for the first number of a config that is out of range.

  Args:
    config: A config of any section, or a part of one, of any depth.
  """
  for name, value in leaves(config):
    for number in _numbers(value):
      missed = (range_of(name) or _OTHERS).missed(number)
      if missed:
        raise ValueError(f"config.{name} must be {missed}, got {number}.")
  plain = dict(leaves(config))
  last = plain.get("first_seed", 0) + plain.get("seeds", 1) - 1
  if last > LAST_SEED:
    raise ValueError(
      f"config.first_seed={plain['first_seed']} and seeds={plain['seeds']} "
      f"end at seed {last}: the last that there is is {LAST_SEED}."
    )


def range_of(name: str) -> Range | None:
  """Returns the range of a field by its dotted name, None if it has none."""
  return RANGES.get(name) or RANGES.get(name.rpartition(".")[2])


def leaves(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
  """Yields the dotted name and the value of each field; lists are tuples.

  Args:
    tree: A config, or nested dicts.
    prefix: What begins each name.
  """
  for name, value in tree.items():
    if hasattr(value, "items"):
      yield from leaves(value, f"{prefix}{name}.")
    else:
      plain = tuple(value) if isinstance(value, list) else value
      yield prefix + name, plain


def _numbers(value: Any) -> Iterator[float]:
  """Yields the numbers of a value, at any depth of tuples."""
  if isinstance(value, tuple | list):
    for each in value:
      yield from _numbers(each)
  elif isinstance(value, numbers.Real) and not isinstance(value, bool):
    yield value  # type: ignore[misc]
