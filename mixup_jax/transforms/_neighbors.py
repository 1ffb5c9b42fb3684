"""Partners from the nearest neighbours, without an n x n matrix."""

import jax
import jax.numpy as jnp

Array = jax.Array


def nearest_neighbors(
  inputs: Array, *, k: int, labels: Array | None = None, chunk_size: int = 256
) -> Array:
  """Finds the k nearest other examples of each example, by Euclidean distance.

  It compares `chunk_size` queries with all examples at a time, so that the
  largest intermediate is `[chunk_size, n]` float32: 51 MB for 50,000 examples.

  Args:
    inputs: `[n, ...]` numbers of any dtype, flattened to vectors. Those that
      are not finite count as 0.
    k: The number of neighbours, less than the number of examples.
    labels: `[n]` integers; if given, neighbours are of the same class. In a
      class of k examples or fewer, the example itself fills the other columns.
    chunk_size: The number of queries at a time.

  Returns:
    `[n, k]` int32 row numbers, nearest first. An example is never its own
    neighbour unless its class is too small.

  Raises:
    ValueError: If `k` is not in [1, n - 1].

  References:
    Zhang et al., ICLR 2018, section 3.8: "KNN" of the ablation study, k = 200.
    The paper does not state the space; raw inputs are the usual reading.
  """
  inputs = jnp.asarray(inputs)
  n = inputs.shape[0]
  if not 1 <= k < n:
    raise ValueError(f"k must be from 1 to {n - 1} for {n} examples, got {k}.")
  if labels is not None:
    labels = jnp.asarray(labels)
  points = inputs.reshape(n, -1).astype(jnp.float32)
  points = jnp.where(jnp.isfinite(points), points, 0)
  # Removing the mean changes no distance, and reduces rounding errors.
  points = points - points.mean(0, keepdims=True)
  norms = jnp.sum(points**2, axis=1)

  chunk_size = min(chunk_size, n)

  def search(rows: Array) -> Array:
    # |a - b|^2 without |a|^2, which does not change the order.
    products = jnp.dot(
      points[rows], points.T, precision=jax.lax.Precision.HIGHEST
    )
    distances = norms[None] - 2 * products
    if labels is not None:
      own_class = labels[rows][:, None] == labels[None]
      distances = jnp.where(own_class, distances, jnp.inf)
    distances = distances.at[jnp.arange(chunk_size), rows].set(jnp.inf)
    values, neighbors = jax.lax.top_k(-distances, k)
    return jnp.where(values > -jnp.inf, neighbors, rows[:, None])

  # One explicit matrix product per chunk: for `lax.map` over single rows the
  # CPU compiler emits one that takes twice as long.
  num_chunks = -(-n // chunk_size)
  rows = jnp.arange(num_chunks * chunk_size, dtype=jnp.int32) % n
  found = jax.lax.map(search, rows.reshape(num_chunks, chunk_size))
  return found.reshape(-1, k)[:n].astype(jnp.int32)


def nearest_partners(
  key: Array,
  inputs: Array,
  *,
  k: int,
  labels: Array | None = None,
  chunk_size: int = 256,
) -> Array:
  """Draws each partner uniformly from the k nearest neighbours in the batch.

  For neighbours in a whole training set, search once with `nearest_neighbors`,
  keep the table, and draw from its rows with `draw_neighbors`.

  Args:
    key: A typed PRNG key, consumed.
    inputs: `[batch, ...]` numbers of any dtype.
    k: The number of neighbours to draw from.
    labels: `[batch]` integers; if given, neighbours are of the same class.
    chunk_size: As in `nearest_neighbors`.

  Returns:
    `[batch]` int32. Not a permutation: a central example may be the partner of
    many.

  Raises:
    ValueError: If `k` is not in [1, batch - 1].

  References:
    Zhang et al., ICLR 2018, section 3.8: "SC + KNN" and "AC + KNN".
  """
  return draw_neighbors(
    key, nearest_neighbors(inputs, k=k, labels=labels, chunk_size=chunk_size)
  )


def draw_neighbors(key: Array, neighbors: Array) -> Array:
  """Draws one neighbour from each row of a table.

  Args:
    key: A typed PRNG key, consumed.
    neighbors: `[batch, k]` int32 row numbers, as from `nearest_neighbors`.

  Returns:
    `[batch]` int32, uniformly drawn.
  """
  batch_size, k = neighbors.shape
  column = jax.random.randint(key, (batch_size, 1), 0, k, jnp.int32)
  return jnp.take_along_axis(neighbors, column, axis=1)[:, 0]
