"""Tests of running a table of jobs."""

import jax
import jax.numpy as jnp
import pytest

from mixup_jax.runtime import jobs


def fail():
  raise FloatingPointError("the loss is nan at step 3")


def test_run_continues_after_a_failed_job(capsys):
  done, failed = jobs.run({"a": lambda: 1, "b": fail, "c": lambda: 3})
  assert done == {"a": 1, "c": 3}
  assert failed == {"b": "the loss is nan at step 3"}
  printed = capsys.readouterr()
  assert printed.out.splitlines() == ["a (1 of 3)", "b (2 of 3)", "c (3 of 3)"]
  assert printed.err == "b failed: the loss is nan at step 3\n"


def test_run_raises_other_errors_than_divergence():

  def full():
    raise OSError("no space")

  with pytest.raises(OSError, match="no space"):
    jobs.run({"a": full, "b": fail})


def test_run_releases_compiled_programs():
  programs = [jax.jit(lambda x, i=i: x + i) for i in range(25)]
  done, _ = jobs.run(
    {
      str(i): lambda program=program: program(jnp.float32(0))
      for i, program in enumerate(programs)
    }
  )
  assert [float(x) for x in done.values()] == list(range(25))
  # Those since the last release.
  assert sum(program._cache_size() for program in programs) == 5
