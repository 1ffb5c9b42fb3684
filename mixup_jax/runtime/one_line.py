"""Errors that a user can mend: one line on stderr, and an exit status."""

import contextlib
import functools
import sys
from typing import Iterator

from absl import flags

from mixup_jax.runtime import arguments
from mixup_jax.runtime import distributed
from mixup_jax.runtime import jobs
from mixup_jax.runtime import storage

# Errors of bad input in this package. Any other error is a bug, and is shown
# with its traceback.
_INPUT_ERRORS = (
  ValueError,
  TypeError,
  LookupError,
  AttributeError,
  OSError,
  flags.Error,
)
# Errors that can end a valid run: divergence, and a full disk.
_RUN_ERRORS = (FloatingPointError, OSError)


@contextlib.contextmanager
def reported(
  errors: tuple[type[Exception], ...], *, status: int, more: str = ""
) -> Iterator[None]:
  """Converts errors of the body to one line on stderr and an exit status.

  With `--debug` they keep their traceback, as do all others.

  Args:
    errors: The types to convert.
    status: The exit status; 42 instead if other processes are missing, or a
      bucket does not answer.
    more: What to print after the error.

  Yields:
    Nothing.

  Raises:
    SystemExit: For these errors.
  """
  try:
    yield
  except Exception as error:
    known = storage.as_os_error(error) or error
    if arguments.DEBUG in sys.argv or not isinstance(known, errors):
      raise
    # Missing processes and outages of a bucket are not bad input.
    if isinstance(known, (TimeoutError, storage.Unavailable)):
      status = distributed.RESTART_STATUS
    print(f"error: {_message(known)}{more}", file=sys.stderr)
    raise SystemExit(status) from None


bad_input = functools.partial(reported, _INPUT_ERRORS, status=2)
failed_run = functools.partial(reported, _RUN_ERRORS, status=1)


def _message(error: BaseException) -> str:
  """Returns the message of an error, without those that wrap it."""
  while error.args and isinstance(error.args[0], BaseException):
    error = error.args[0]
  if isinstance(error, FloatingPointError):
    return jobs.describe(error)
  # A KeyError would show its message quoted.
  message = str(error.args[0] if isinstance(error, KeyError) else error)
  if "Traceback" in message:  # A config file raised: take the last line.
    message = message.strip().splitlines()[-1].split("Error: ", 1)[-1]
  return message
