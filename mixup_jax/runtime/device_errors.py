"""What an error of a device means for a run: to start it again, or not."""

import contextlib
import sys
from typing import Iterator

import jax

from mixup_jax.runtime import distributed

# Codes that the messages of jax's runtime begin with. A TPU core that halts and
# a GPU with an uncorrectable memory error both give INTERNAL; a lost connection
# gives UNKNOWN or UNAVAILABLE.
_FAILED = {
  *("ABORTED", "CANCELLED", "DATA_LOSS", "DEADLINE_EXCEEDED"),
  *("INTERNAL", "UNAVAILABLE", "UNKNOWN"),
}
_FULL = "RESOURCE_EXHAUSTED"


@contextlib.contextmanager
def reported(resume: str, *, debug: bool = False) -> Iterator[None]:
  """Converts errors of devices in the body to one line and an exit status.

  Args:
    resume: How to start the run again, in words.
    debug: Whether to raise them all as they are.

  Yields:
    Nothing.

  Raises:
    SystemExit: With 42 if a device failed, so that supervisors start the run
      again, and 1 if its memory is full.
    JaxRuntimeError: As it was, if it is of neither kind: a bug.
  """
  try:
    yield
  except jax.errors.JaxRuntimeError as error:
    status, meaning = _judge(str(error))
    if debug or not status:
      raise
    reason = str(error).strip().splitlines()[0]
    print(f"\nerror: {meaning} ({reason}); {resume}", file=sys.stderr)
    raise SystemExit(status) from error


def _judge(message: str) -> tuple[int, str]:
  """Returns an exit status, 0 for a bug, and what happened."""
  code = message.split(":", 1)[0].strip()
  if code in _FAILED:
    return distributed.RESTART_STATUS, "a device, or the way to one, failed"
  if code == _FULL:
    words = (
      "batch_size, eval_batch_size, the sizes of config.model and, of what is "
      "trained side by side, seeds_at_once, seeds_per_device or seeds"
    )
    return 1, f"the memory of a device is full: lower one of {words}"
  return 0, ""
