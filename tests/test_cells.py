"""Proves that a cell that fails is named, and the others are run."""

import pytest

from mixup_jax import cells


def fail():
  raise FloatingPointError("the loss is nan at step 3")


def test_a_failed_cell_stops_no_other(capsys):
  done, failed = cells.run({"a": lambda: 1, "b": fail, "c": lambda: 3})
  assert done == {"a": 1, "c": 3}
  assert failed == {"b": "the loss is nan at step 3"}
  said = capsys.readouterr()
  assert said.out.splitlines() == ["a (1 of 3)", "b (2 of 3)", "c (3 of 3)"]
  assert said.err == "b failed: the loss is nan at step 3\n"


def test_what_is_no_divergence_ends_the_run():

  def full():
    raise OSError("no space")

  with pytest.raises(OSError, match="no space"):
    cells.run({"a": full, "b": fail})
