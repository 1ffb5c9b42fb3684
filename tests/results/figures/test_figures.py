"""Tests of the choice of a figure by what a result holds."""

import os
import pathlib
import subprocess
import sys

import pytest

from mixup_jax import results
from mixup_jax.results import figures

ROOT = pathlib.Path(__file__).parents[3]


@pytest.fixture
def chosen(monkeypatch, tmp_path):
  """Returns the modules that would draw a result, and their files."""

  def choose(result):
    drawn = []

    class Module:
      def __init__(self, name):
        self.name = name

      def draw(self, result, path):
        drawn.append((self.name, path.name))

    monkeypatch.setattr(figures, "_module", Module)
    assert figures.draw(result, tmp_path / "x.png") == (
      "x.png" in [path for _, path in drawn]
    )
    return drawn

  return choose


def test_modules_draw_what_results_hold():
  payloads = set(results.Result.__optional_keys__)
  others = {results.P_VALUE, results.DIFFERENCE, "method"}
  assert set(figures._MODULES) <= payloads | others
  for name in set(figures._MODULES.values()):
    assert callable(figures._module(name).draw)


def test_draw_chooses_by_payload_metric_and_layout(chosen):
  rows = [{"metric": results.DIFFERENCE}, {"metric": results.P_VALUE}]
  assert chosen({"rows": rows, "curves": [1]}) == [("_curves", "x.png")]
  assert chosen({"rows": rows, "curves": []}) == [("_mixing", "x.png")]
  assert chosen({"rows": rows[:1]}) == [("_differences", "x.png")]
  assert chosen({"rows": [], "layout": {"lines": "method"}}) == [
    ("_dots", "x.png")
  ]
  assert not chosen({"rows": [], "layout": {"lines": "metric"}})
  assert not chosen({"rows": []})


def test_draw_puts_spectrograms_beside(chosen):
  assert chosen({"rows": [], "spectrograms": {"png": ""}}) == [
    ("_spectrograms", "x_spectrograms.png")
  ]
  assert (
    len(chosen({"rows": [], "spectrograms": {"png": ""}, "curves": [1]})) == 2
  )


def test_draw_needs_no_screen_whatever_the_backend(tmp_path):
  code = (
    "import pathlib\n"
    "from mixup_jax.results import figures\n"
    "diagram = dict(setting='s', method='ERM', key='erm', confidence=[1.0],\n"
    "               accuracy=[1.0], share=[1.0], error=0.0)\n"
    "path = pathlib.Path('figure.png')\n"
    "assert figures.draw(dict(rows=[], reliability=[diagram]), path)\n"
  )
  subprocess.run(
    [sys.executable, "-c", code],
    cwd=tmp_path,
    env={**os.environ, "MPLBACKEND": "nonsense", "PYTHONPATH": str(ROOT)},
    check=True,
  )
  assert (tmp_path / "figure.png").stat().st_size > 1000
