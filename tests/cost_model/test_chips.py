"""Tests of the rates of chips, and of slices."""

import pytest

from mixup_jax.cost_model import chips


def test_chips_have_the_published_totals():
  # FLOP/s, HBM, and what all links of a chip carry in both directions, in GB/s.
  published = {
    "v5e": (197e12, 819, 4, 400),
    "v5p": (459e12, 2765, 6, 1200),
    "v6e": (918e12, 1638, 4, 800),
    "tpu7x": (2307e12, 7380, 6, 1200),
  }
  for kind, (flops, bandwidth, links, both) in published.items():
    chip = chips.CHIPS[kind]
    assert chip.flops * chip.cores == flops
    assert chip.bandwidth * chip.cores == bandwidth * 1e9
    assert chip.link * chip.cores * links * 2 == both * 1e9


@pytest.mark.parametrize(
  "shape, links, distance",
  [
    ((1, 1), 0, 0),
    ((2, 2), 2, 1),
    # On a ring of four, the others are 1, 2 and 1 links away.
    ((4, 4), 4, 2),
    ((8, 8, 4), 6, 2 + 2 + 1),
    ((3,), 2, 2 / 3),
  ],
)
def test_pod_knows_links_and_distances(shape, links, distance):
  pod = chips.Pod(chips.CHIPS["v5e"], shape)
  assert pod.links == links and pod.distance == pytest.approx(distance)
