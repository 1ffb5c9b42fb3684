"""Tests of the PyTorch loop over the seeds of a table."""

import subprocess
import sys

import numpy as np
import pytest

from experiments.benchmark import torch_table


def test_main_prints_the_mean_error_at_each_alpha(tmp_path, capsys):
  pytest.importorskip("torch", reason="needs the benchmark extra")
  rng = np.random.default_rng(0)
  labels = np.arange(40) % 2
  inputs = rng.normal(size=(2, 40, 3)).astype(np.float32)
  inputs[:, :, 0] = labels  # It can be told from the first column.
  rows = np.stack([rng.permutation(40) for _ in range(2)])
  path = tmp_path / "table.npz"
  np.savez(
    path,
    inputs=inputs,
    labels=labels,
    train_rows=rows[:, :20],
    test_rows=rows[:, 20:],
  )
  torch_table.main([str(path), "0", "0.5"])
  lines = capsys.readouterr().out.splitlines()
  assert [line.split(":")[0] for line in lines] == ["alpha 0", "alpha 0.5"]
  assert all(0 <= float(line.split()[-2]) <= 100 for line in lines)


def test_import_brings_no_jax():
  code = (
    "import sys; from experiments.benchmark import torch_table; "
    "assert not {'jax', 'mixup_jax', 'torch'} & set(sys.modules)"
  )
  subprocess.run([sys.executable, "-c", code], check=True)
