"""Proves that a group of seeds is trained once, and what is kept of it."""

import json

import numpy as np
import pytest

from experiments.vae_mixing import groups


def group(**errors):
  return groups.Group(
    measured={name: {"error": list(values)} for name, values in errors.items()},
    losses={name: [2.5, 1.0] for name in errors},
    picture=None,
    seconds=1.5,
  )


def test_a_group_is_trained_once(tmp_path):
  calls = []

  def train():
    calls.append(1)
    return group(mixup=(0.1, 1 / 3))

  path = tmp_path / "digits" / "group_0.json"
  first = groups.once(path, train)
  assert groups.once(path, train) == first == json.loads(path.read_text())
  assert len(calls) == 1


def test_a_group_that_fails_leaves_nothing(tmp_path):

  def train():
    raise FloatingPointError("the loss is not finite")

  path = tmp_path / "digits" / "group_0.json"
  with pytest.raises(FloatingPointError):
    groups.once(path, train)
  assert not path.exists()


def test_groups_are_joined_by_seed():
  found = groups.join(
    [group(mixup=(1.0, 2.0), erm=(3.0, 4.0)), group(mixup=(5.0,), erm=(6.0,))]
  )
  np.testing.assert_array_equal(found["mixup"]["error"], (1, 2, 5))
  np.testing.assert_array_equal(found["erm"]["error"], (3, 4, 6))
