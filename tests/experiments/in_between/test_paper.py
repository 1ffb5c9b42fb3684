"""Proves that the curves of Figure 2 are its columns."""

from experiments.in_between import paper


def test_curves():
  assert len(paper.FIGURE_2) == 21
  assert paper.curve("ERM", 0)[10] == 16.516
  assert paper.curve("mixup", 0)[10] == 6.040
  assert paper.curve("ERM", 1)[10] == 0.1768
  assert paper.curve("mixup", 1)[0] == 0.0116
  for metric, tolerance in ((0, 0.4), (1, 2e-3)):
    for method in ("ERM", "mixup"):
      values = paper.curve(method, metric)  # Digits in the wrong place show.
      assert max(abs(a - b) for a, b in zip(values, values[::-1])) < tolerance
