"""Runs a table of jobs: one that diverges does not stop the others."""

import sys
from typing import Callable, Hashable, Mapping, TypeVar

import jax

Key = TypeVar("Key", bound=Hashable)
T = TypeVar("T")
# A compiled model takes one or two thousand memory maps, and Linux allows a
# process 65,530: a long table would fail midway.
_JOBS_IN_MEMORY = 10


def run(
  jobs: Mapping[Key, Callable[[], T]], *, name: Callable[[Key], str] = str
) -> tuple[dict[Key, T], dict[str, str]]:
  """Runs jobs one after another.

  A loss that is not finite ends only its own job. Any other error ends the run:
  a full disk would fail the next job too. Compiled programs are released after
  every ten jobs.

  Args:
    jobs: Functions by key. A job that is done already returns at once, as
      `run.train` does.
    name: Returns the printed name of a key.

  Returns:
    The results of the jobs by key, and the errors of those that failed by name.
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
