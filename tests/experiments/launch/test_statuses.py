"""Tests of the table of exit statuses."""

import signal

from experiments.launch import statuses
from mixup_jax.runtime import distributed


def test_statuses_of_the_program_end_or_start_again():
  assert set(statuses.final()) >= {0, 1, 2}
  stopped = 128 + signal.SIGTERM
  assert {distributed.RESTART_STATUS, stopped} <= set(statuses.again())
  assert not set(statuses.final()) & set(statuses.again())


def test_statuses_have_one_line_of_meaning():
  for status in statuses.STATUSES.values():
    assert status.meaning and not set(status.meaning) & set("\n|")
