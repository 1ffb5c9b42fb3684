"""Tests of mixup inference against NumPy."""

import jax
import numpy as np
import pytest
import scipy.special

from mixup_jax.evaluation import mixup_inference as inference
from tests.evaluation.linear_network import examples
from tests.evaluation.linear_network import linear

POOL_LABELS = np.array([2, 0, 0, 2, 0, 2, 0, 2], np.int32)  # There is no 1.


@pytest.mark.parametrize("kind", inference.KINDS)
def test_mixup_inference_is_the_mean_over_mixes_with_what_it_may_draw(kind):
  weights, predict = linear()
  inputs, pool = examples(6, 0), examples(8, 1)
  predicted = (inputs @ weights).argmax(1)
  assert set(predicted) == {0, 1, 2}
  seen = []

  def recorded(x):
    seen.append(np.asarray(x))
    return predict(x)

  found = inference.mixup_inference(
    jax.random.key(0),
    recorded,
    inputs,
    (pool, POOL_LABELS),
    kind=kind,
    lam=0.6,
    samples=60,
  )
  assert len(seen) == 61
  mixes = np.stack(seen[1:])
  expected = scipy.special.softmax(mixes @ weights, axis=2).mean(0)
  np.testing.assert_allclose(found, expected, atol=1e-5)
  for row, label in enumerate(predicted):
    is_own = POOL_LABELS == label
    drawn = pool[is_own if kind == "predicted" else ~is_own]
    if not len(drawn):
      drawn = inputs[row : row + 1]  # It stays as it is.
    allowed = 0.6 * inputs[row] + 0.4 * drawn
    gaps = abs(mixes[:, row, None] - allowed[None]).max(-1)
    assert (gaps.min(1) < 1e-5).all()
    assert len(set(gaps.argmin(1))) == len(drawn)  # Each of them is drawn.


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"kind": "own"}, "unknown kind 'own' of inference: choose one of other"),
    ({"samples": 0}, "samples must be at least 1, got 0"),
    ({"lam": 1.5}, "lam must be from 0 to 1, got 1.5"),
    (
      {"pool": (np.ones((2, 5)), np.arange(2))},
      r"\(2, 5\) and \(2,\) does not",
    ),
    (
      {"pool": (np.ones((2, 4)), np.arange(3))},
      r"\(2, 4\) and \(3,\) does not",
    ),
  ],
)
def test_mixup_inference_refuses_bad_values(changes, message):
  given = {"pool": (examples(2, 0), np.arange(2)), **changes}
  with pytest.raises(ValueError, match=message):
    inference.mixup_inference(
      jax.random.key(0), linear()[1], examples(2, 1), given.pop("pool"), **given
    )
