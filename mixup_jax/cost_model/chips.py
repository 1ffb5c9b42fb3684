"""The published rates of TPU chips, and slices of them."""

import math
from typing import NamedTuple

from mixup_jax.train import peak


class Chip(NamedTuple):
  """The rates of what jax calls one device of a TPU.

  Sources: Cloud TPU documentation, pages v4, v5e, v5p, v6e and tpu7x ("key
  specifications"), read in November 2026. It gives what all links of a chip
  carry in both directions, of which a link has in one direction the part 1 /
  (2 x links). Of v4 it gives neither this, for which the 50 GB/s a link of
  Jouppi et al., "TPU v4", ISCA 2023, stand, nor the network between slices.

  Attributes:
    flops: Peak bfloat16 operations per second.
    bandwidth: Bytes per second from and to HBM.
    link: Bytes per second over one link of the interconnect, in one direction.
    network: Bytes per second to other slices, in one direction; None if it is
      not published.
    cores: Devices of jax on a chip. Each has an equal part of its rates.
    options: What the compiler has to be told to make it so.
  """

  flops: float
  bandwidth: float
  link: float
  network: float | None
  cores: int = 1
  options: dict[str, str] = {}


CHIPS = {
  "v4": Chip(
    peak.FLOPS["TPU v4"],
    1228e9,
    50e9,
    None,
    options={"chip_config_name": "megacore"},
  ),
  "v5e": Chip(peak.FLOPS["TPU v5 lite"], 819e9, 50e9, 25e9 / 8),
  "v5p": Chip(peak.FLOPS["TPU v5"], 2765e9, 100e9, 50e9 / 8),
  "v6e": Chip(peak.FLOPS["TPU v6 lite"], 1638e9, 100e9, 100e9 / 8),
  "tpu7x": Chip(
    peak.FLOPS["TPU7x"], 7380e9 / 2, 100e9 / 2, 100e9 / 8 / 2, cores=2
  ),
}


class Pod(NamedTuple):
  """One or more equal slices of TPU chips.

  Attributes:
    chip: The kind of chip.
    shape: Chips along each axis of a slice.
    slices: The number of slices.
  """

  chip: Chip
  shape: tuple[int, ...]
  slices: int = 1

  @property
  def size(self) -> int:
    """Devices of a slice."""
    return math.prod(self.shape) * self.chip.cores

  @property
  def links(self) -> int:
    """The most links that a chip has to others of its slice."""
    return sum(min(2, length - 1) for length in self.shape)

  @property
  def distance(self) -> float:
    """The mean number of links between two chips if all axes are rings."""
    return sum((length * length // 4) / length for length in self.shape)
