"""Signals that end this process at once."""

import contextlib
import os
import signal
import sys
import threading
from typing import Iterator

import jax


@contextlib.contextmanager
def leaving(
  number: signal.Signals, *, status: int, text: str
) -> Iterator[None]:
  """Ends this process on a signal in the body, with one line on stderr.

  No exception is raised: Python drops one that comes in a destructor or in a
  callback of compiled code, and threads of jax may crash a process that ends in
  the ordinary way while they work. Files are safe, as after `kill -9`.

  After `jax.distributed.initialize` other processes wait for a reason: SIGINT
  then raises KeyboardInterrupt, and jax has its own handler of SIGTERM. In
  other threads than the main one it does nothing.

  Args:
    number: The signal.
    status: The exit status.
    text: The line.

  Yields:
    Nothing.
  """

  def leave(*_: object) -> None:
    if jax.distributed.is_initialized():
      raise KeyboardInterrupt
    with contextlib.suppress(Exception):  # It may be in use.
      sys.stdout.flush()
    os.write(2, f"\n{text}\n".encode())
    os._exit(status)

  if threading.current_thread() is not threading.main_thread():
    yield
    return
  previous = signal.signal(number, leave)
  try:
    yield
  finally:
    if number == signal.SIGINT or not jax.distributed.is_initialized():
      signal.signal(number, previous or signal.SIG_DFL)
