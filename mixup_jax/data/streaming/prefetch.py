"""Fills the next batches in threads while one is in use."""

import collections
from concurrent import futures
import sys
from typing import Callable, Iterable, Iterator, TypeVar

Batch = TypeVar("Batch")
Report = TypeVar("Report")
# The maximum number of rows per task. Larger tasks synchronise less often: 64
# rows were a tenth faster than 8.
_ROWS = 64
# Batches that are filled while one is in use.
_AHEAD = 2


def filled(
  steps: Iterable[int],
  make: Callable[[], Batch],
  fill: Callable[[int, range, Batch], Report],
  *,
  rows: int,
  workers: int,
) -> Iterator[tuple[Batch, list[Report]]]:
  """Yields batches in order, each filled by many threads.

  Args:
    steps: The numbers of the batches.
    make: Makes an empty batch.
    fill: Fills some rows of a batch, given its number, the rows and the batch.
    rows: The number of rows of a batch.
    workers: The number of threads; 0 fills batches on demand.

  Yields:
    Each batch, and the results of `fill` for its parts. An error of `fill` is
    raised in place of its batch.
  """
  if not workers:
    for step in steps:
      batch = make()
      yield batch, [fill(step, range(rows), batch)]
    return
  pending: collections.deque = collections.deque()
  size = min(_ROWS, -(-rows // workers))
  pool = futures.ThreadPoolExecutor(workers, thread_name_prefix="input")
  at_exit = sys.is_finalizing  # At exit the module may be gone; a local is not.
  try:
    for step in steps:
      batch = make()
      pending.append(
        (
          batch,
          [
            pool.submit(fill, step, range(row, min(row + size, rows)), batch)
            for row in range(0, rows, size)
          ],
        )
      )
      if len(pending) > _AHEAD:
        yield _wait(*pending.popleft())
    while pending:
      yield _wait(*pending.popleft())
  finally:
    if not at_exit():  # Python has joined the threads itself.
      pool.shutdown(cancel_futures=True)


def _wait(
  batch: Batch, parts: list["futures.Future[Report]"]
) -> tuple[Batch, list[Report]]:
  """Waits until a batch is full."""
  return batch, [part.result() for part in parts]
