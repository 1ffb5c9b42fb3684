"""Tests of how growth is measured and fitted; never how fast."""

import json
import sys

import numpy as np
import pytest

from experiments.benchmark import quantities
from experiments.benchmark import scale
from mixup_jax import results


def test_fitted_finds_the_exponent():
  known = {n: [3.0 * n**1.5] * 2 for n in (10, 100, 1000)}
  exponent, error = scale.fitted(known)
  assert exponent == pytest.approx(1.5) and error < 1e-6


@pytest.mark.parametrize(
  "known, exponent, expected",
  [
    ({100: [1e9], 200: [2e9]}, 1.0, 2400),
    ({100: [2e9], 200: [3e9]}, 0.6, 2300),  # A constant, and a line.
    ({100: [1.5e9], 200: [6e9]}, 2.0, 400),  # Not the line's 600.
    ({100: [1e9], 200: [1e9]}, 0.0, np.inf),
  ],
)
def test_largest_fitting_extrapolates(known, exponent, expected):
  assert scale.largest_fitting(known, exponent) == pytest.approx(expected)


def test_table_keeps_each_point(square, monkeypatch, tmp_path, capsys):
  measured = []

  def fake(name, size):
    measured.append(size)
    run = size <= square.longest
    return {
      quantities.SECONDS: 1e-3 * size**2 if run else None,
      quantities.BYTES: 1e6 * size**2,
      quantities.PEAK: 2e8 if run else None,
    }

  monkeypatch.setattr(scale, "_in_a_process", fake)
  text, result = scale.table(rounds=2, directory=tmp_path)
  assert measured == [8, 8, 16, 16, 32, 32, 64, 64]
  (block,) = results.blocks(json.loads(json.dumps(result)))
  assert block.name == "square: rows"
  assert block.cells[0] == [
    "",
    quantities.SECONDS,
    quantities.BYTES,
    quantities.PEAK,
  ]
  lines = {line[0]: line[1:] for line in block.cells[1:]}
  assert lines["8"] == ["0.0640 ± 0.0000", "64.0", "200.0 ± 0.0"]
  assert lines["64"] == ["not run", "4096.0", "not run"]
  assert lines["exponent"] == ["2.00 ± 0.00", "2.00 ± 0.00", "-"]
  assert lines["at 24 GB, extrapolated"] == ["-", "150", "-"]
  assert "not run" in text
  scale.table(rounds=2, directory=tmp_path)
  assert len(measured) == 8
  assert "square: 64 rows" in capsys.readouterr().err


def test_in_a_process_returns_the_point_that_is_printed(monkeypatch, tmp_path):
  point = {
    quantities.SECONDS: None,
    quantities.BYTES: 1.0,
    quantities.PEAK: 2.0,
  }
  fake = tmp_path / "python"
  fake.write_text(f"#!/bin/sh\necho '{json.dumps(point)}'\n", "utf-8")
  fake.chmod(0o755)
  monkeypatch.setattr(sys, "executable", str(fake))
  assert scale._in_a_process("square", 8) == point
