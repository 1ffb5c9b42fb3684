"""Proves that a cell that fails is named, and the others are run."""

import jax
import jax.numpy as jnp
import pytest

from mixup_jax.runtime import jobs


def fail():
  raise FloatingPointError("the loss is nan at step 3")


def test_a_failed_cell_stops_no_other(capsys):
  done, failed = jobs.run({"a": lambda: 1, "b": fail, "c": lambda: 3})
  assert done == {"a": 1, "c": 3}
  assert failed == {"b": "the loss is nan at step 3"}
  said = capsys.readouterr()
  assert said.out.splitlines() == ["a (1 of 3)", "b (2 of 3)", "c (3 of 3)"]
  assert said.err == "b failed: the loss is nan at step 3\n"


def test_what_is_no_divergence_ends_the_run():

  def full():
    raise OSError("no space")

  with pytest.raises(OSError, match="no space"):
    jobs.run({"a": full, "b": fail})


def test_compiled_programs_do_not_pile_up():
  programs = [jax.jit(lambda x, i=i: x + i) for i in range(25)]
  done, _ = jobs.run(
    {
      str(i): lambda program=program: program(jnp.float32(0))
      for i, program in enumerate(programs)
    }
  )
  assert [float(x) for x in done.values()] == list(range(25))
  # Those since the last time that all were let go of.
  assert sum(program._cache_size() for program in programs) == 5
