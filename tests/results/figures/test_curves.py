"""Proves that each setting has a panel, and each method a colour."""

from mixup_jax.results.figures import _curves


def test_curves(drawn):
  def curve(setting, method, metric):
    return {
      "setting": setting,
      "method": method,
      "metric": metric,
      "epochs": [1, 2, 3],
      "values": [[3.0, 2.0, 1.0], [4.0, 2.5, 1.5]],
    }

  one = [
    curve("digits", method, metric)
    for method in ("ERM", "mixup, alpha 1")
    for metric in ("test error (%)", "training error (%)")
  ]
  narrow = drawn({"rows": [], "curves": one})
  wide = drawn({"rows": [], "curves": one + [curve("cifar10", "ERM", "test")]})
  assert wide.shape[1] > 1.5 * narrow.shape[1]


def test_looks_are_given_in_turn():
  looks = _curves._in_turn("ab", ["x", "y", "x", "z"])
  assert looks == {"x": "a", "y": "b", "z": "a"}
