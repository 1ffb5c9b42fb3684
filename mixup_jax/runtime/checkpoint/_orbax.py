"""Imports orbax without its logs, and shortens its errors."""

import errno
import functools
import logging
import os
import re
import sys
from typing import Any, Callable
import warnings

_REMEDIES = {
  **dict.fromkeys(
    (errno.ENOSPC, errno.EDQUOT), "free disk space, or choose another directory"
  ),
  **dict.fromkeys(
    (errno.EACCES, errno.EPERM, errno.EROFS),
    "change its permissions, or choose another directory",
  ),
  **dict.fromkeys(
    (errno.EMFILE, errno.ENFILE), "raise the limit of open files (ulimit -n)"
  ),
}


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


def code(error: BaseException) -> int | None:
  """Returns the errno of an error, or None if no call of the system failed."""
  found = re.search(r"os_error_code='(\d+)'", str(error))  # Of tensorstore.
  return int(found[1]) if found else getattr(error, "errno", None)


def reason(error: BaseException) -> str:
  """Returns the cause of an error, in a few words."""
  number = code(error)
  if number is not None:
    return os.strerror(number)
  return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def remedy(error: BaseException, otherwise: str) -> str:
  """Returns what helps against the cause of an error, if that is known."""
  return _REMEDIES.get(code(error) or 0, otherwise)
