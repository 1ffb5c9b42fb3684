"""Tests of Figures 1b and 2 in one picture, a row of panels each."""

PLANE = {
  "limit": 1.0,
  "points": [["0.5 0.5"], ["0.0 0.0"]],
  "percent": {"ERM": ["0 100"], "mixup": ["40 60"]},
}
PAIRS = [
  {
    "setting": "digits",
    "method": "ERM",
    "key": "erm",
    "metric": metric,
    "lam": [0.0, 1.0],
    "values": [[0.0, 1.0]],
    "paper": [1.0, 2.0],
  }
  for metric in ("misses (%)", "gradient norm")
]


def test_draw_stacks_parts(drawn):
  plane, pairs, both = (
    drawn({"rows": [], **parts})
    for parts in (
      {"plane": PLANE},
      {"pairs": PAIRS},
      {"plane": PLANE, "pairs": PAIRS},
    )
  )
  assert both.shape[0] > 1.8 * plane.shape[0]
  assert both.shape[0] > 1.8 * pairs.shape[0]
  assert min(picture.std() for picture in (plane, pairs, both)) > 0.01
