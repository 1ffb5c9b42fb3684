"""Tests of the trace of some steps."""

import gzip
import pathlib

import jax
import jax.numpy as jnp
import pytest

from mixup_jax.train import tracing


@pytest.fixture
def calls(monkeypatch):
  """Returns the order of events of the profiler, which writes a file."""
  events = []

  def start(directory):
    events.append("start")
    path = pathlib.Path(directory) / "plugins" / "trace.pb"
    path.parent.mkdir()
    path.write_bytes(b"trace")

  monkeypatch.setattr(jax.profiler, "start_trace", start)
  monkeypatch.setattr(jax.profiler, "stop_trace", lambda: events.append("stop"))
  return events


def train(events, count, *, at_once=1):
  def step(state, batch):
    events.append(batch)
    return state, {"loss": jnp.zeros(at_once)}

  step = tracing.traced(step)
  for number in range(count):
    step(None, number)


@pytest.mark.parametrize("at_once, traced", [(1, 4), (3, 2)])
def test_traced_leaves_out_the_first_calls(calls, tmp_path, at_once, traced):
  with tracing.requested(4, tmp_path):
    train(calls, 8, at_once=at_once)
    train(calls, 1)
  expected = list(range(8))
  expected.insert(2 + traced, "stop")
  expected.insert(2, "start")
  assert calls == [*expected, 0]
  assert (tmp_path / "plugins" / "trace.pb").read_bytes() == b"trace"


def test_requested_writes_the_trace_of_a_run_that_fails(calls, tmp_path):
  with pytest.raises(FloatingPointError), tracing.requested(100, tmp_path):
    train(calls, 5)
    raise FloatingPointError
  assert calls == [0, 1, "start", 2, 3, 4, "stop"]
  assert (tmp_path / "plugins" / "trace.pb").exists()


@pytest.mark.parametrize("steps, process", [(0, 0), (4, 1)])
def test_requested_traces_nothing_else(
  calls, tmp_path, monkeypatch, steps, process
):
  monkeypatch.setattr(jax, "process_index", lambda: process)
  with tracing.requested(steps, tmp_path):
    train(calls, 3)
  train(calls, 1)
  assert calls == [0, 1, 2, 0] and not list(tmp_path.iterdir())


def test_requested_says_that_nothing_was_traced(calls, tmp_path, capsys):
  with tracing.requested(4, tmp_path):
    train(calls, 2)
  assert calls == [0, 1]
  assert "no step was traced: 3 calls" in capsys.readouterr().err


def test_requested_writes_what_the_profiler_of_jax_does(tmp_path):
  step = jax.jit(lambda state, batch: (state + batch, {"loss": state}))
  with tracing.requested(2, tmp_path):
    step = tracing.traced(step)
    state = jnp.zeros(())
    for _ in range(5):
      state, _ = step(state, 1.0)
  (trace,) = tmp_path.rglob("*.trace.json.gz")
  assert b"traceEvents" in gzip.decompress(trace.read_bytes())
