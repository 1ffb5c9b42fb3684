"""Tests of the PyTorch side of the table benchmark."""

import pytest

from experiments.benchmark import tabular


def test_torch_run_learns():
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  problem = tabular.load_problem("iris", None, seeds=2)
  assert problem.splits.train_rows.shape == (2, 75)
  assert tabular.torch_run(torch, problem, 0, 0.0) < 40
