"""Tests of running a table of jobs."""

import itertools

import jax
import jax.numpy as jnp
import pytest

from mixup_jax.results import files
from mixup_jax.runtime import jobs
from mixup_jax.runtime import preemption


def fail():
  raise FloatingPointError("the loss is nan at step 3")


def test_run_continues_after_a_failed_job(capsys):
  done, failed = jobs.run({"a": lambda: 1, "b": fail, "c": lambda: 3})
  assert done == {"a": 1, "c": 3}
  assert failed == {"b": "the loss is nan at step 3"}
  printed = capsys.readouterr()
  assert printed.out.splitlines() == ["a (1 of 3)", "b (2 of 3)", "c (3 of 3)"]
  assert printed.err == "b failed: the loss is nan at step 3\n"


def test_describe_adds_the_remedy_to_an_error_of_jax():
  with jax.debug_nans(True), pytest.raises(FloatingPointError) as raised:
    jnp.log(jnp.float32(-1))
  message = jobs.describe(raised.value)
  assert message.startswith("invalid value (nan)")
  assert "lower the learning rate" in message
  assert jobs.describe(FloatingPointError("own, with remedy")).endswith(
    "remedy"
  )


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


def test_run_starts_no_job_after_a_notice(sigterm):
  with pytest.raises(preemption.Stopped):
    jobs.run({"a": sigterm, "b": pytest.fail})


def test_kept_runs_a_job_once(tmp_path):
  path = tmp_path / "part" / "a.json"
  made = jobs.kept(path, lambda: {"x": (1, float("nan")), "y": 0.1})
  seconds = made["seconds"]
  assert made == {"x": [1, None], "y": 0.1, "seconds": seconds} and seconds > 0
  assert jobs.kept(path, pytest.fail) == made
  path.write_text(path.read_text().replace("0.1", "0.2"))
  with pytest.raises(OSError, match=f"{path} is damaged"):
    jobs.kept(path, pytest.fail)


def test_kept_without_a_path_runs_the_job_each_time():
  counts = itertools.count()
  found = [
    jobs.kept(None, lambda: {"number": next(counts)})["number"]
    for _ in range(2)
  ]
  assert found == [0, 1]


def test_kept_keeps_the_job_that_a_notice_came_in(sigterm, tmp_path):
  """All that is done is saved: what follows has not begun."""
  made = jobs.kept(tmp_path / "a.json", lambda: {"none": sigterm()})
  with pytest.raises(preemption.Stopped) as stopped:
    jobs.kept(tmp_path / "b.json", pytest.fail)
  assert not stopped.value.lost and not (tmp_path / "b.json").exists()
  assert made == files.read_checked(tmp_path / "a.json")
