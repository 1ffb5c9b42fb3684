"""Runs a table of jobs, and keeps what finished ones returned."""

import json
import sys
import time
from typing import Any, Callable, Hashable, Mapping, TypeVar

import jax

from mixup_jax.results import files
from mixup_jax.runtime import preemption
from mixup_jax.runtime import storage

Key = TypeVar("Key", bound=Hashable)
T = TypeVar("T")
# A compiled model takes one or two thousand memory maps, and Linux allows a
# process 65,530: a long table would fail midway.
_JOBS_IN_MEMORY = 10


def run(
  jobs: Mapping[Key, Callable[[], T]], *, name: Callable[[Key], str] = str
) -> tuple[dict[Key, T], dict[str, str]]:
  """Runs jobs one after another: one that diverges does not stop the others.

  A loss that is not finite ends only its own job. Any other error ends the run:
  a full disk would fail the next job too. Compiled programs are released after
  every ten jobs.

  Args:
    jobs: Functions by key. A job that is done already returns at once, as
      `run.train` does.
    name: Returns the printed name of a key.

  Returns:
    The results of the jobs by key, and the errors of those that failed by name.

  Raises:
    Stopped: If the process was asked to stop; finished jobs are saved.
  """
  done: dict[Key, T] = {}
  failed: dict[str, str] = {}
  for number, (key, job) in enumerate(jobs.items(), start=1):
    preemption.check()
    if jax.process_index() == 0:
      print(f"{name(key)} ({number} of {len(jobs)})", flush=True)
    try:
      done[key] = job()
    except FloatingPointError as error:
      failed[name(key)] = describe(error)
      print(f"{name(key)} failed: {describe(error)}", file=sys.stderr)
    if number % _JOBS_IN_MEMORY == 0:
      jax.clear_caches()
  return done, failed


def describe(error: FloatingPointError) -> str:
  """Returns the message of a run that diverged, with its remedy.

  With `jax_debug_nans`, jax raises it with the name of an operation alone.
  """
  message = str(error)
  if not message.lower().startswith("invalid value"):
    return message
  return (
    f"{message.rstrip('.')}: lower the learning rate, or look for bad values "
    "in the data."
  )


def kept(
  path: storage.Path | None, job: Callable[[], Mapping[str, Any]]
) -> dict[str, Any]:
  """Runs a job whose result is kept, or reads what it returned before.

  Args:
    path: The file of the result, below the working directory; None keeps it
      nowhere.
    job: Returns JSON values by name.

  Returns:
    What the job returned, as JSON has it: tuples are lists, NaN is None. Its
    "seconds" are those of the job, in whichever process ran it.

  Raises:
    OSError: If the file is damaged, or cannot be written.
    Stopped: If the process was asked to stop; the job has not begun.
  """
  preemption.check()  # In all processes, also in one that finds the file.
  if path is not None and path.exists():
    return files.read_checked(path)
  start = time.perf_counter()
  made = {**job(), "seconds": time.perf_counter() - start}
  if path is not None and jax.process_index() == 0:
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_checked(path, made)
  plain: dict[str, Any] = json.loads(files.to_json(made))
  return plain
