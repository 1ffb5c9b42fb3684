"""Proves that methods that were run are drawn, and those alone."""

LAYOUT = {"lines": "method", "columns": "setting", "metrics": ["error (%)"]}


def row(setting, method, paper, value, **more):
  count = 0 if value is None else 2
  return {
    "setting": setting,
    "method": method,
    "metric": "error (%)",
    "paper": paper,
    "value": value,
    "std": 0.2,
    "n": count,
    "epochs": 10,
    **more,
  }


def test_dots(drawn):
  rows = [
    row("1e-4", "ERM", 5.53, 5.6),
    row("5e-4", "ERM", 5.18, None),
    row("1e-4", "mixup", 4.24, 4.3, unverified=True),
    row("1e-4", "noise", 6.4, None),
  ]
  two = drawn({"rows": rows, "layout": LAYOUT})
  assert two.std() > 0.01
  rows.append(row("5e-4", "noise", 7.0, 7.2))
  three = drawn({"rows": rows, "layout": LAYOUT})
  assert three.shape[0] > two.shape[0]
  assert (
    drawn({"rows": rows, "layout": {**LAYOUT, "lines": "metric"}}) is None
  )


def test_numbers_that_are_not_verified_are_hollow(drawn):
  rows = [row("1e-4", "ERM", 5.53, 5.6)]
  solid = drawn({"rows": rows, "layout": LAYOUT})
  hollow = drawn({"rows": [{**rows[0], "unverified": True}], "layout": LAYOUT})
  assert solid.shape == hollow.shape and solid.mean() < hollow.mean()


def test_a_setting_that_was_not_run_is_not_drawn(drawn):
  rows = [row("digits", "ERM", None, 5.6)]
  alone = drawn({"rows": rows, "layout": LAYOUT})
  rows.append(row("cifar10", "ERM", 5.53, None))
  assert (drawn({"rows": rows, "layout": LAYOUT}) == alone).all()
