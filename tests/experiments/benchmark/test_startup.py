"""Tests of how whole commands are measured; never how fast."""

import os

import numpy as np
import pytest

from experiments.benchmark import startup
from mixup_jax import results


@pytest.fixture(name="calls")
def make_calls(monkeypatch):
  """What `run` is called with; each call takes its number in ms."""
  calls = []

  def fake(words, environment):
    calls.append((words, environment))
    return startup.Took(float(len(calls)), 2.0)

  monkeypatch.setattr(startup, "run", fake)
  return calls


def test_table_starts_every_command_once_a_round(calls, monkeypatch):
  monkeypatch.setenv("JAX_COMPILATION_CACHE_DIR", "/elsewhere")
  text, result = startup.table(rounds=2)
  assert len(calls) == 3 * 5  # The first round is not counted.
  rounds = [calls[i : i + 5] for i in (0, 5, 10)]
  caches = [{env["XDG_CACHE_HOME"] for _, env in own} for own in rounds]
  assert [len(cache) for cache in caches] == [1, 1, 1]
  assert len(set.union(*caches)) == 3  # The first start finds nothing.
  assert all("JAX_COMPILATION_CACHE_DIR" not in env for _, env in calls)
  assert len({env["MPLCONFIGDIR"] for _, env in calls}) == 1
  blocks = {block.name: block.cells for block in results.blocks(result)}
  wall = blocks["ours over theirs, ratio of wall times, paired"]
  assert wall[0] == ["", "PyTorch loop", "import jax, flax"]
  means = [line[1] for line in wall[1:3]]
  assert [cell.split()[0] for cell in means] == [
    f"{(7 / 6 + 12 / 11) / 2:.3f}",
    f"{(8 / 6 + 13 / 11) / 2:.3f}",
  ]
  assert wall[3][2].startswith(f"{(9 / 10 + 14 / 15) / 2:.3f}")
  assert blocks["ms, processor time, median"][1][1] == "2.000 ± 0.000"
  assert text.count("tabular, --help") == 2


def test_commands_give_the_loop_the_splits_of_the_section(tmp_path):
  given = startup.commands(tmp_path)
  loop = given[startup.LOOP.label]
  assert loop[-5:] == ["0", "0.1", "0.2", "0.4", "1.0"]
  data = np.load(loop[2])
  assert data["inputs"].shape == (4, 150, 4)
  assert data["train_rows"].shape == data["test_rows"].shape == (4, 75)
  assert data["inputs"].min() >= -1 and data["inputs"].dtype == np.float32


def test_run_returns_the_times_of_a_command():
  busy = "import time\nwhile time.process_time() < .1:"
  took = startup.run(["-c", f"{busy} pass"], os.environ)
  assert took.processor >= 90 and took.wall >= 90
  with pytest.raises(ValueError, match="-c 1/0 failed: .*ZeroDivisionError"):
    startup.run(["-c", "1/0"], os.environ)
