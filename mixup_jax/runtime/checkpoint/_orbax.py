"""orbax without its noise, and its errors in a few words."""

import functools
import logging
import os
import re
import sys
from typing import Any, Callable
import warnings


@functools.cache
def load() -> Any:
  """Imports orbax, which takes a second, and keeps its noise to itself.

  After a failed write it leaves the others unfinished, and asyncio and the
  interpreter complain of each.
  """
  import orbax.checkpoint as ocp

  for name in ("absl", "asyncio"):
    logging.getLogger(name).addFilter(_is_not_of_orbax)
  warnings.filterwarnings(
    "ignore", "coroutine 'async_serialize", RuntimeWarning
  )
  sys.unraisablehook = functools.partial(_unraisable, sys.unraisablehook)
  return ocp


def _is_not_of_orbax(record: logging.LogRecord) -> bool:
  return "orbax" not in record.pathname + record.getMessage()


def _unraisable(hook: Callable[[Any], None], unraisable: Any) -> None:
  """Drops what tensorstore reports to a loop that orbax has left."""
  if str(unraisable.exc_value) != "Event loop is closed":
    hook(unraisable)


def reason(error: BaseException) -> str:
  """Returns what an error comes from, in a few words."""
  code = re.search(r"os_error_code='(\d+)'", str(error))  # By tensorstore.
  if code:
    return os.strerror(int(code[1]))
  return f"{type(error).__name__}: {error}".splitlines()[0][:200]
