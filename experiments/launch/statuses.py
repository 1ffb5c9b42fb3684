"""What the exit statuses of a run mean, and which of them start it again."""

from typing import NamedTuple

# A run that ends so often has no luck, but a fault.
MAX_RESTARTS = 100


class Status(NamedTuple):
  """An exit status.

  Attributes:
    meaning: What has happened.
    again: Whether the run is to be started again, from its latest checkpoint.
  """

  meaning: str
  again: bool


# Every launch file follows this table. What is not in it, such as the statuses
# of other signals, starts again.
STATUSES = {
  0: Status("finished", False),
  1: Status(
    "cannot continue: the loss is not finite, a disk or the memory of a device "
    "is full, or there is a bug",
    False,
  ),
  2: Status("bad input: flags, config, data, or processes that differ", False),
  42: Status(
    "another process, a device or the storage is lost, or SIGTERM came where "
    "work could not be saved",
    True,
  ),
  126: Status("Python cannot be executed", False),
  127: Status("there is no Python where the file says", False),
  130: Status("Ctrl-C: somebody wants it to end", False),
  134: Status("a crash (SIGABRT)", True),
  137: Status("killed: no memory on the host, or too slow to save", True),
  139: Status("a crash (SIGSEGV)", True),
  143: Status("SIGTERM: all that was done is saved", True),
  255: Status("the connection to a host is lost", True),
}


def final() -> list[int]:
  """Returns the statuses on which a run ends."""
  return [code for code, status in STATUSES.items() if not status.again]


def again() -> list[int]:
  """Returns the listed statuses on which a run is started again."""
  return [code for code, status in STATUSES.items() if status.again]
