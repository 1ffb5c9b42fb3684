"""The cells of a table: each is a run, and one that fails stops no other."""

import sys
from typing import Callable, Mapping, TypeVar

import jax

T = TypeVar("T")
# A compiled network takes a thousand or two of the memory maps, of which Linux
# gives a process 65,530: a long table would end in its middle.
_CELLS_IN_MEMORY = 10


def run(
  cells: Mapping[str, Callable[[], T]],
) -> tuple[dict[str, T], dict[str, str]]:
  """Runs cells one after another.

  A loss that is not finite ends its cell alone. All else ends the run: a full
  disk would fail the next cell too. Now and then, what was compiled is let go.

  Args:
    cells: Functions by name. What has been done before is theirs to skip, as
      `training.train` does.

  Returns:
    What the cells returned, and why those that failed did, both by name.
  """
  done: dict[str, T] = {}
  failed: dict[str, str] = {}
  for number, (name, cell) in enumerate(cells.items(), start=1):
    if jax.process_index() == 0:
      print(f"{name} ({number} of {len(cells)})", flush=True)
    try:
      done[name] = cell()
    except FloatingPointError as error:
      failed[name] = str(error)
      print(f"{name} failed: {error}", file=sys.stderr)
    if number % _CELLS_IN_MEMORY == 0:
      jax.clear_caches()
  return done, failed
