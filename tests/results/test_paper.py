"""Tests of placing the paper's numbers beside rows."""

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


def test_describe_not_run_counts_and_lists():
  mixups = [
    results.Method("mixup", f"mixup, alpha {alpha}", alpha)
    for alpha in (0.1, 0.2)
  ]
  rows, missing = results.beside_paper(map(row, mixups), PAPER)
  result = {"rows": rows, "not_run": missing}
  # Both rows of mixup stand beside the same number of the paper.
  assert results.describe_not_run(result, width=100) == (
    "Not run: 2 of the paper's 3 numbers (iris: ERM 21.3; htru2: ERM 2.0)"
  )


def test_describe_not_run_is_one_short_line():
  missing = [
    {"setting": f"set {i}", "method": "ERM", "metric": m, "paper": i + 0.5}
    for i in range(50)
    for m in ("best", "last")
  ]
  line = results.describe_not_run({"rows": [], "not_run": missing}, width=100)
  assert line.startswith(
    "Not run: 100 of the paper's 100 numbers (set 0: ERM 0.5 / 0.5; set 1: ERM"
  )
  assert line.endswith(" ...)") and 80 < len(line) <= 100 and "\n" not in line
