"""C-Mixup: partners with similar targets, for regression."""

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks

Array = jax.Array

_BLOCK = 128  # Columns; about the root of their number.


def similar_target_partners(
  key: Array,
  targets: Array,
  *,
  sigma: jax.typing.ArrayLike,
  where: Array | None = None,
  chunk_size: int = 256,
) -> Array:
  """Draws each partner the more likely, the nearer its target is.

      P(j | i) = exp(-|y_i - y_j|^2 / (2 sigma^2)) / (sum over all j)

  so that the mean of two targets fits the mean of two inputs. An example may be
  its own partner. It compares `chunk_size` examples with all at a time: the
  largest intermediate is `[chunk_size, batch]` float32, 102 MB for 100,000.

  Args:
    key: A typed PRNG key, consumed.
    targets: `[batch]` or `[batch, ...]` floats, with the Euclidean distance. An
      example with one that is not finite is its own partner, and nobody else's.
    sigma: The bandwidth, above 0, in units of the targets. May be traced.
    where: `[batch]` booleans, False for padding, which is nobody's partner.
    chunk_size: The number of examples at a time.

  Returns:
    `[batch]` int32, not a permutation.

  Raises:
    TypeError: If targets are not floating point, `sigma` is not a number, or
      `where` not boolean.
    ValueError: If the batch has fewer than two examples, `sigma` is not above
      0, `chunk_size` is below 1, or `where` has another shape.

  References:
    Yao et al., C-Mixup: Improving Generalization in Regression, NeurIPS 2022,
    arXiv 2210.05775, eq. 6.
  """
  size = _checks.batch_size(targets=targets)
  targets = jnp.asarray(targets)
  _checks.check_pairable(size)
  _checks.check_where(where, size)
  advice = "it is the distance at which targets still are similar"
  _checks.check_range("sigma", sigma, advice=advice)
  if not isinstance(sigma, jax.Array) and sigma == 0:
    raise ValueError(f"sigma must be above 0: {advice}.")
  if chunk_size < 1:
    raise ValueError(f"chunk_size must be at least 1, got {chunk_size}.")
  if not jnp.issubdtype(targets.dtype, jnp.floating):
    raise TypeError(
      f"targets must be floats, got {targets.dtype}: for class ids there is "
      "same_class_partners."
    )
  points = targets.reshape(size, -1).astype(jnp.float32) / sigma
  chunk_size = min(chunk_size, size)

  def draw(chunk: tuple[Array, Array]) -> Array:
    rows, uniform = chunk
    weights = jnp.exp(-_squared_distances(points[rows], points) / 2)
    valid = ~jnp.isnan(weights)
    if where is not None:
      valid &= where[None]
    weights = jnp.where(valid, weights, 0)
    return jnp.where(weights.any(axis=1), _draw(uniform, weights), rows)

  num_chunks = -(-size // chunk_size)
  rows = jnp.arange(num_chunks * chunk_size, dtype=jnp.int32) % size
  # Below 1 by more than sums are rounded, so that one of them is reached.
  uniform = jax.random.uniform(key, (size, 2), jnp.float32, maxval=1 - 1e-5)
  chunks = jax.tree.map(
    lambda x: x.reshape(num_chunks, chunk_size, *x.shape[1:]),
    (rows, uniform[rows]),
  )
  return jax.lax.map(draw, chunks).reshape(-1)[:size]


def _squared_distances(a: Array, b: Array) -> Array:
  """Returns `[rows, columns]` of `[rows, n]` and `[columns, n]` points.

  Differences first: products would lose the small distances that matter here.
  """
  columns = zip(a.T, b.T)
  return sum((x[:, None] - y[None]) ** 2 for x, y in columns)


def _draw(uniform: Array, weights: Array) -> Array:
  """Draws a column of each row, `[rows]`, with probabilities by the weights.

  First a block of columns, then one of them: on a CPU this takes a fifteenth of
  the time of one random number for each weight.
  """
  rows, columns = weights.shape
  count = -(-columns // _BLOCK)
  padded = jnp.pad(weights, ((0, 0), (0, count * _BLOCK - columns)))
  blocks = padded.reshape(rows, count, _BLOCK)
  block = _invert(uniform[:, :1], blocks.sum(axis=-1))
  own = jnp.take_along_axis(blocks, block[:, None, None], axis=1)[:, 0]
  return block * _BLOCK + _invert(uniform[:, 1:], own)


def _invert(uniform: Array, weights: Array) -> Array:
  """Returns where cumulative sums reach a share, never what has no weight."""
  total = jnp.cumsum(weights, axis=-1)
  # Where sums are grouped in parallel, one may pass the share at a weight of 0.
  reached = (total > uniform * total[:, -1:]) & (weights > 0)
  return jnp.argmax(reached, axis=-1).astype(jnp.int32)
