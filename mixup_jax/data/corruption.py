"""Replaces a share of the training labels by noise."""

import numpy as np


def corrupt(
  labels: np.ndarray,
  *,
  share: float,
  num_classes: int,
  seed: int,
  keep_true: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
  """Replaces a share of the labels by uniformly drawn classes.

  Args:
    labels: `[n]` integer class ids.
    share: The share of labels to replace, in [0, 1]; rounded to whole labels.
      The code of the second reference draws for each label whether it is.
    num_classes: The number of classes.
    seed: Determines which labels are replaced, and by what.
    keep_true: Whether the true class may be drawn, so that with 10 classes a
      tenth of the replaced labels stay correct. If False, the other classes are
      drawn.

  Returns:
    The new labels, in the dtype of the given ones, and `[n]` booleans that are
    True where a label was replaced.

  Raises:
    ValueError: If `share` is not in [0, 1], there are fewer than 2 classes, or
      a label is none of them.

  References:
    Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018, section
    3.4; the noise is that of Zhang et al., Understanding deep learning requires
    rethinking generalization, ICLR 2017, section 2.1.
  """
  if not 0 <= share <= 1:
    raise ValueError(
      f"the share of replaced labels must be from 0 to 1, got {share}."
    )
  if num_classes < 2:
    raise ValueError(
      f"num_classes must be at least 2, got {num_classes}: "
      "there is no other class to draw."
    )
  # On the host: within a run, transfers to a device are refused.
  outside = labels[(labels < 0) | (labels >= num_classes)]
  if outside.size:
    raise ValueError(
      f"labels must be from 0 to {num_classes - 1}, got {outside[0]}: correct "
      "them, or num_classes."
    )
  rng = np.random.default_rng(seed)
  rows = rng.permutation(len(labels))[: round(share * len(labels))]
  if keep_true:
    noise = rng.integers(0, num_classes, len(rows))
  else:
    steps = rng.integers(1, num_classes, len(rows))
    noise = (labels[rows] + steps) % num_classes
  replaced = np.zeros(len(labels), bool)
  replaced[rows] = True
  corrupted = labels.copy()
  corrupted[rows] = noise
  return corrupted, replaced
