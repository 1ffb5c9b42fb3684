"""Tests of errors in one line; test_cli has those of whole commands."""

import sys

from absl import flags
import pytest

from mixup_jax.runtime import one_line
from mixup_jax.runtime import storage


@pytest.mark.parametrize(
  "error, line, status",
  (
    (FileNotFoundError("htru2 is not prepared"), "htru2 is not prepared", 2),
    (KeyError("no field"), "no field", 2),
    (flags.Error(ValueError("alpha")), "alpha", 2),
    (ValueError("Traceback:\n  a\nTypeError: width"), "width", 2),
    (TimeoutError("process 1 is missing"), "process 1 is missing", 42),
    (storage.Unavailable("no answer"), "no answer", 42),
  ),
)
def test_bad_input_ends_in_a_line_and_a_status(capsys, error, line, status):
  with pytest.raises(SystemExit) as ended, one_line.bad_input():
    raise error
  assert ended.value.code == status
  assert capsys.readouterr().err == f"error: {line}\n"


def test_failed_run_adds_what_it_is_told(capsys):
  with pytest.raises(SystemExit) as ended:
    with one_line.failed_run(more="\nThe config"):
      raise FloatingPointError("the loss is nan")
  assert ended.value.code == 1
  assert capsys.readouterr().err == "error: the loss is nan\nThe config\n"


def test_failed_run_leaves_a_bug_its_traceback():
  with pytest.raises(ValueError, match="a bug"), one_line.failed_run():
    raise ValueError("a bug")


def test_bad_input_with_debug_keeps_the_traceback(monkeypatch):
  monkeypatch.setattr(sys, "argv", ["toy", "--debug"])
  with pytest.raises(ValueError, match="bad"), one_line.bad_input():
    raise ValueError("bad")
