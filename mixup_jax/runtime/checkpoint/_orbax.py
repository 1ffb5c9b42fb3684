"""Imports orbax without its logs, and shortens its errors."""

import functools
import logging
import os
import re
import sys
from typing import Any, Callable
import warnings


@functools.cache
def load() -> Any:
  """Imports orbax, which takes a second, and silences it.

  After a failed write it abandons the others, and asyncio and the interpreter
  warn about each.
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
  """Drops what tensorstore reports to an event loop that orbax has closed."""
  if str(unraisable.exc_value) != "Event loop is closed":
    hook(unraisable)


def reason(error: BaseException) -> str:
  """Returns the cause of an error, in a few words."""
  code = re.search(r"os_error_code='(\d+)'", str(error))  # Of tensorstore.
  if code:
    return os.strerror(int(code[1]))
  return f"{type(error).__name__}: {error}".splitlines()[0][:200]
