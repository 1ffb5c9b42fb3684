"""k-mixup: groups of examples, matched by least total squared distance."""

from typing import Any, Callable

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _partners

Array = jax.Array


def least_cost_assignment(costs: Array) -> Array:
  """Assigns each row a column of its own, with the least sum of costs.

  The shortest augmenting path for one row after another, in O(n^3) steps, of
  which O(n^2) one after another.

  Args:
    costs: `[n, n]` floats. Infinity, or NaN, is taken only where nothing else
      is left.

  Returns:
    `[n]` int32, the column of each row: a permutation.

  Raises:
    ValueError: If costs are not square.

  References:
    Jonker and Volgenant, A shortest augmenting path algorithm for dense and
    sparse linear assignment problems, Computing 38 (1987).
  """
  n = len(costs)
  if costs.shape != (n, n):
    raise ValueError(f"costs must be [n, n], got the shape {costs.shape}.")
  costs = _finite(costs.astype(jnp.float32))
  nobody = jnp.int32(n)

  def add_row(row: Array, state: Any) -> Any:
    """Finds a path from a free row to a free column, and assigns along it."""
    owner, row_prices, column_prices = state
    start = (
      jnp.asarray(row, jnp.int32),
      jnp.float32(0),
      jnp.full(n, jnp.inf),  # The shortest path to each column, so far.
      jnp.full(n, nobody),  # The row before it on this path.
      jnp.zeros(n, jnp.bool),
      nobody,
    )

    def is_going_on(search: Any) -> Array:
      return search[-1] == nobody

    def visit(search: Any) -> Any:
      at, length, shortest, before, done, _ = search
      reduced = costs[at] - row_prices[at] - column_prices
      through = jnp.where(done, jnp.inf, length + reduced)
      before = jnp.where(through < shortest, at, before)
      shortest = jnp.minimum(shortest, through)
      nearest = jnp.argmin(jnp.where(done, jnp.inf, shortest))
      nearest = nearest.astype(jnp.int32)
      done = done.at[nearest].set(True)
      end = jnp.where(owner[nearest] == nobody, nearest, nobody)
      return owner[nearest], shortest[nearest], shortest, before, done, end

    _, length, shortest, before, done, end = jax.lax.while_loop(
      is_going_on, visit, start
    )
    # Columns that were reached become dearer, and their rows cheaper.
    change = jnp.where(done, length - shortest, 0)
    column_prices = column_prices - change
    row_prices = row_prices.at[owner].add(change, mode="drop")
    row_prices = row_prices.at[row].add(length)

    def step_back(path: Any) -> Any:
      owner, column, _ = path
      here = before[column]
      previous = jnp.argmax(owner == here).astype(jnp.int32)
      return owner.at[column].set(here), previous, here

    owner, _, _ = jax.lax.while_loop(
      lambda path: path[2] != row, step_back, (owner, end, nobody)
    )
    return owner, row_prices, column_prices

  state = jnp.full(n, nobody), jnp.zeros(n), jnp.zeros(n)
  owner, _, _ = jax.lax.fori_loop(0, n, add_row, state)
  return jnp.argsort(owner).astype(jnp.int32)


def _finite(costs: Array) -> Array:
  """Replaces what is not finite by more than all other costs together."""
  is_finite = jnp.isfinite(costs)
  highest = jnp.max(jnp.where(is_finite, jnp.abs(costs), 0))
  far = 2 * len(costs) * jnp.where(highest > 0, highest, 1)
  return jnp.where(is_finite, costs, jnp.where(costs == -jnp.inf, -far, far))


def assigned_partners(
  key: Array,
  inputs: Array,
  *,
  group: int,
  solve: Callable[[Array], Array] = least_cost_assignment,
) -> Array:
  """Matches groups of examples with random groups, near ones with each other.

      partner = argmin over permutations of (sum_i |x_i - x_partner(i)|^2)

  in each pair of groups, so that mixed inputs stay closer to the data, the
  larger the groups are. A group of 1 is `random_partners`.

  Args:
    key: A typed PRNG key, consumed.
    inputs: `[batch, ...]` numbers of any dtype, flattened to vectors; what is
      not finite counts as 0. The batch is in random order: its groups are
      consecutive examples.
    group: The number of examples in a group, a divisor of the batch.
    solve: Takes `[group, group]` costs, returns the column of each row.

  Returns:
    `[batch]` int32, a permutation.

  Raises:
    ValueError: If the batch has fewer than two examples, or `group` does not
      divide it.

  References:
    Greenewald et al., k-Mixup Regularization for Deep Learning via Optimal
    Transport, TMLR 2023, arXiv 2106.02933, section 3.
  """
  size = _checks.batch_size(inputs=inputs)
  if group < 1 or size % group:
    raise ValueError(
      f"group={group} does not divide the batch of {size} examples: use a "
      "divisor."
    )
  drawn = _partners.random_partners(key, size).reshape(-1, group)
  points = jnp.asarray(inputs).reshape(size, -1).astype(jnp.float32)
  points = jnp.where(jnp.isfinite(points), points, 0)  # Of padding.
  # Removing the mean changes no distance, and reduces rounding errors.
  points = points - points.mean(0, keepdims=True)
  norms = jnp.sum(points**2, axis=1)

  def match(others: Array, rows: Array) -> Array:
    products = jnp.dot(
      points[rows], points[others].T, precision=jax.lax.Precision.HIGHEST
    )
    # |a - b|^2 without |a|^2, which is the same for every permutation.
    return others[solve(norms[others][None] - 2 * products)]

  rows = jnp.arange(size, dtype=jnp.int32).reshape(-1, group)
  return jax.vmap(match)(drawn, rows).reshape(-1)
