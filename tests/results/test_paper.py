"""Proves which of the paper's numbers stand beside which of our rows."""

from mixup_jax import results
from mixup_jax.results.paper import PaperNumber

PAPER = [
  PaperNumber("iris", "ERM", "error", 21.3),
  PaperNumber("iris", "mixup", "error", 17.3),
  PaperNumber("htru2", "ERM", "error", 2.0),
]


def row(method, *, setting="iris", metric="error"):
  return results.summarize(
    [1.0, 3.0], setting=setting, method=method, metric=metric, epochs=10
  )


def test_beside_paper_matches_labels_and_keys():
  mixup = results.Method("mixup", "mixup, alpha 0.2", 0.2)
  rows, missing = results.beside_paper([row(results.ERM), row(mixup)], PAPER)
  assert [r["paper"] for r in rows] == [21.3, 17.3]
  assert missing == [
    {"setting": "htru2", "method": "ERM", "metric": "error", "paper": 2.0}
  ]


def test_beside_paper_leaves_other_settings_and_metrics_alone():
  mine = [
    row(results.ERM, setting="iris (epochs 1)"),
    row(results.ERM, metric="loss"),
  ]
  rows, missing = results.beside_paper(mine, PAPER)
  assert rows == mine and len(missing) == len(PAPER)
