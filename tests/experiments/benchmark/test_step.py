"""Tests of the step benchmark: both sides train the same network."""

import jax
import pytest

from experiments.benchmark import step


@pytest.mark.slow
def test_table_has_both_sides_of_each_case():
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  with jax.debug_key_reuse(False):  # What is timed is done again and again.
    text, measured = step.table(torch, width=2, batch_size=8, turns=1)
  for word in ("batch 8, ERM", "PyTorch, one gather", "images a second"):
    assert word in text
  names = [each.case.name for each in measured]
  assert len(set(names)) == len(names) == 4


def test_torch_step_changes_the_weights():
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  ours = step.TorchStep(torch, width=2, batch_size=4, alpha=1.0)
  before = ours._network.stem.weight.detach().clone()
  ours()
  assert (ours._network.stem.weight != before).any()


def test_step_flops_are_those_of_one_step(monkeypatch):
  data = step.fake_set()
  monkeypatch.setattr(jax.stages.Lowered, "compile", lambda lowered: lowered)
  one = step.Step(data, width=2, batch_size=8, alpha=1.0)
  monkeypatch.setattr(step.backend, "steps_per_dispatch", lambda _: 3)
  several = step.Step(data, width=2, batch_size=8, alpha=1.0)
  assert (one.at_once, several.at_once) == (1, 3)
  assert several.flops == pytest.approx(one.flops, rel=0.01)
  # Stage 4 alone: a 3 x 3 convolution of 16 channels on 4 x 4 pixels, three
  # times forward, and twice as much backward.
  assert one.flops > 3 * 3 * 8 * 2 * 9 * 16**2 * 4**2
