"""Tests that both sides do the same work; never how fast."""

import jax
import pytest

from experiments.benchmark import timing
from experiments.benchmark import transforms


def test_lambda_case_draws_as_many_from_the_sampler_of_jax():
  case = transforms.lambda_case()
  with jax.debug_key_reuse(False):  # A benchmark draws the same again.
    ours, other = case.ours(), case.other()
  assert ours.shape == other.shape == (1024,)


def test_table_names_each_case_once(monkeypatch):
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  monkeypatch.setattr(timing, "seconds", lambda *_: 1.0)
  _, measured = transforms.table(torch, turns=1)
  names = [each.case.name for each in measured]
  assert len(set(names)) == len(names)
  _, measured = transforms.table(torch, turns=1, official_only=True)
  assert {each.case.against for each in measured} == {timing.OFFICIAL}
  assert {each.case.name for each in measured} < set(names)
