"""Tests of slices."""

import re

import pytest

from experiments.launch import slices
from mixup_jax.cost_model import chips


@pytest.mark.parametrize(
  "text, devices, hosts, name",
  [
    ("v5e:1x1", 1, 1, "v5litepod-1"),
    ("v5e:2x4", 8, 2, "v5litepod-8"),
    ("v5e:16x16", 256, 64, "v5litepod-256"),
    ("v6e:4x4", 16, 4, "v6e-16"),
    ("v4:2x2x2", 8, 2, "v4-16"),  # It counts cores, two a chip.
    ("v5p:4x4x8", 128, 32, "v5p-256"),
  ],
)
def test_parse_counts_chips_and_hosts(text, devices, hosts, name):
  found = slices.parse(text)
  assert (found.devices, found.hosts) == (devices, hosts)
  assert found.devices_per_host * hosts == devices
  assert found.accelerator_type == name


def test_parse_takes_hosts_of_gpus():
  assert slices.parse("gpu:4x8") == ("gpu", "4x8", 32, 4)


@pytest.mark.parametrize(
  "text, words",
  [
    ("v5e", "v5e:16x16"),
    ("v3:4x4", "kind of v4, v5e"),
    ("v5e:3x3", "shapes 1x1, 2x2"),
    ("v5e:16x32", "shapes 1x1"),
    ("v5e:2x2x1", "shapes 1x1"),
    ("v5p:4x4", "shapes 2x2x1"),
    ("v5p:8x4x4", "multiples of 4"),  # Its sides ascend.
    ("v5p:4x4x6", "multiples of 4"),
    ("v5e:0x4", "v5e:16x16"),
    ("gpu:8", "gpu:4x8"),
    ("gpu:4x8x2", "two numbers"),
  ],
)
def test_parse_refuses_what_there_is_not(text, words):
  with pytest.raises(ValueError, match=f"--slice={text}: .*{re.escape(words)}"):
    slices.parse(text)


def test_tpus_have_a_cost_estimate():
  assert set(slices.TPUS) <= set(chips.CHIPS)
