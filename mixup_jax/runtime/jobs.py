"""A table of runs: one that diverges stops no other."""

import sys
from typing import Callable, Hashable, Mapping, TypeVar

import jax

Key = TypeVar("Key", bound=Hashable)
T = TypeVar("T")
# A compiled network takes a thousand or two of the memory maps, of which Linux
# gives a process 65,530: a long table would end in its middle.
_JOBS_IN_MEMORY = 10


def run(
  jobs: Mapping[Key, Callable[[], T]], *, name: Callable[[Key], str] = str
) -> tuple[dict[Key, T], dict[str, str]]:
  """Runs jobs one after another.

  A loss that is not finite ends its job alone. All else ends the run: a full
  disk would fail the next job too. Every ten jobs compiled programs are
  released.

  Args:
    jobs: Functions by a key. One that has been done before skips its work
      itself, as `run.train` does.
    name: Returns what a key is called.

  Returns:
    What the jobs returned, by key, and why those that failed did, by name.
  """
  done: dict[Key, T] = {}
  failed: dict[str, str] = {}
  for number, (key, job) in enumerate(jobs.items(), start=1):
    if jax.process_index() == 0:
      print(f"{name(key)} ({number} of {len(jobs)})", flush=True)
    try:
      done[key] = job()
    except FloatingPointError as error:
      failed[name(key)] = str(error)
      print(f"{name(key)} failed: {error}", file=sys.stderr)
    if number % _JOBS_IN_MEMORY == 0:
      jax.clear_caches()
  return done, failed
