"""Tests that both sides do the same work; never how fast."""

import jax
import numpy as np
import pytest

from experiments.benchmark import losses


def test_cases_have_equal_losses_and_gradients():
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  gradient, donated, alone, soft = losses.cases(torch)
  wanted = gradient.other()
  assert abs(wanted - alone.other()) < 1e-6
  of_gradient, value = gradient.ours()
  assert abs(float(value) - wanted) < 1e-4
  assert abs(float(alone.ours()) - wanted) < 1e-4
  jax.block_until_ready(donated.ours())  # What comes back is donated next.
  for other in (donated.ours(), soft.other()[::-1]):
    np.testing.assert_allclose(other[0], of_gradient, atol=1e-7)
    np.testing.assert_allclose(other[1], value, rtol=1e-6)


def test_of_pytorch_has_the_mean_of_two_losses_and_its_gradient():
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  logits, ids = np.zeros((2, 4), np.float32), np.array([[0, 1], [2, 3]])
  for gradient in (True, False):
    loss = losses.of_pytorch(torch, logits, ids)(gradient)()
    assert abs(loss - np.log(4)) < 1e-6


def test_table_has_each_case_with_its_times():
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  text, measured = losses.table(torch, turns=1, rounds=2)
  assert [len(each.ratio) for each in measured] == [2] * 4
  assert all(each.case.name in text for each in measured)
