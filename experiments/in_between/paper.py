"""Figure 2 of the paper in numbers, which were read off its curves.

The paper does not say of which network they are, nor, of the gradient, of
which label and whether the loss is a mean over a batch.
"""

# Zhang et al., ICLR 2018, Figure 2, CIFAR-10: for lam = 0, .05, ..., 1, misses
# in per cent and the norm of the gradient, of ERM and of mixup.
FIGURE_2 = (
  (1.268, 0.710, 0.0039, 0.0116),
  (1.196, 0.730, 0.0081, 0.0096),
  (1.602, 0.924, 0.0160, 0.0118),
  (2.238, 1.226, 0.0273, 0.0162),
  (3.550, 1.824, 0.0430, 0.0204),
  (5.582, 2.676, 0.0653, 0.0248),
  (8.274, 3.664, 0.0912, 0.0288),
  (11.258, 4.572, 0.1216, 0.0327),
  (14.222, 5.296, 0.1493, 0.0360),
  (15.790, 5.942, 0.1695, 0.0380),
  (16.516, 6.040, 0.1768, 0.0383),
  (15.632, 5.878, 0.1687, 0.0381),
  (13.858, 5.556, 0.1482, 0.0360),
  (11.310, 4.500, 0.1211, 0.0329),
  (8.112, 3.636, 0.0910, 0.0290),
  (5.582, 2.634, 0.0652, 0.0250),
  (3.454, 1.860, 0.0434, 0.0205),
  (2.212, 1.242, 0.0270, 0.0160),
  (1.572, 0.898, 0.0159, 0.0118),
  (1.308, 0.754, 0.0083, 0.0095),
  (1.266, 0.674, 0.0039, 0.0116),
)


def curve(family: str, metric: int) -> list[float]:
  """Returns a curve of Figure 2.

  Args:
    family: "ERM" or "mixup".
    metric: 0 for misses, 1 for the gradient.

  Returns:
    A value for each lam.
  """
  column = 2 * metric + ("ERM", "mixup").index(family)
  return [line[column] for line in FIGURE_2]
