"""Figure 2 of the paper in numbers, which were read off its curves.

The paper does not say of which network they are, nor, of the gradient, of
which label and whether the loss is a mean over a batch.
"""

# Zhang et al., ICLR 2018, Figure 2, CIFAR-10: for lam = 0, .05, ..., 1, misses
# in per cent and the norm of the gradient, of ERM and of mixup.
FIGURE_2 = (
    (1.268, 0.710, .0039, .0116),
    (1.196, 0.730, .0081, .0096),
    (1.602, 0.924, .0160, .0118),
    (2.238, 1.226, .0273, .0162),
    (3.550, 1.824, .0430, .0204),
    (5.582, 2.676, .0653, .0248),
    (8.274, 3.664, .0912, .0288),
    (11.258, 4.572, .1216, .0327),
    (14.222, 5.296, .1493, .0360),
    (15.790, 5.942, .1695, .0380),
    (16.516, 6.040, .1768, .0383),
    (15.632, 5.878, .1687, .0381),
    (13.858, 5.556, .1482, .0360),
    (11.310, 4.500, .1211, .0329),
    (8.112, 3.636, .0910, .0290),
    (5.582, 2.634, .0652, .0250),
    (3.454, 1.860, .0434, .0205),
    (2.212, 1.242, .0270, .0160),
    (1.572, 0.898, .0159, .0118),
    (1.308, 0.754, .0083, .0095),
    (1.266, 0.674, .0039, .0116),
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
