"""When to save: after so many seconds, at a step that all processes know."""

import math
import time
from typing import Callable

import jax
from jax.experimental import multihost_utils
import numpy as np


class Cadence:
  """Tells a loop of steps when to save.

  Clocks of several processes differ, and all have to save after the same step.
  So the clock of the first process counts. It is asked seldom: each answer says
  how many more steps there are to do until the next question.
  """

  def __init__(
    self,
    seconds: float,
    *,
    first_step: int,
    clock: Callable[[], float] = time.monotonic,
  ):
    """Starts to count.

    Args:
      seconds: How far apart saves are, at least.
      first_step: The number of steps done before.
      clock: Returns seconds.
    """
    self._seconds, self._clock = seconds, clock
    self._saved_step, self._saved_at = first_step, clock()
    self._next = first_step + 1  # When to ask.

  def due(self, step: int) -> bool:
    """Returns whether to save now, equal in all processes.

    Args:
      step: The number of steps done. All processes must call it at the same
        steps.

    Returns:
      True if the time is over since the last save, or since the start.
    """
    if step < self._next:
      return False
    with jax.transfer_guard("allow"):
      elapsed = float(
        multihost_utils.broadcast_one_to_all(
          np.float32(self._clock() - self._saved_at)
        )
      )
    done, left = step - self._saved_step, self._seconds - elapsed
    # The first steps are compiled, which takes long, and the time that is left
    # is then of more steps than it seems: the question is repeated.
    self._next = step + max(1, math.floor(done * left / max(elapsed, 1e-6)))
    return left <= 0

  def saved(self, step: int) -> None:
    """Starts to count anew.

    Args:
      step: The number of steps done.
    """
    self._saved_step, self._saved_at = step, self._clock()
