"""Tests of errors of devices: which are tried again."""

import jax
import pytest

from mixup_jax.runtime import device_errors

HALTED = (
  "INTERNAL: Core halted unexpectedly: INTERNAL: Accelerator device halted "
  "prematurely, perhaps due to an on-device check-failure.\nmore lines"
)
LOST = "UNKNOWN: Gloo AllGather failed: Connection reset by peer"
FULL = "RESOURCE_EXHAUSTED: Out of memory while trying to allocate 8 bytes."


@pytest.mark.parametrize(
  "message, status, words",
  [
    (HALTED, 42, "a device, or the way to one, failed (INTERNAL: Core halted"),
    (LOST, 42, "Connection reset by peer); run it again"),
    ("UNAVAILABLE: TPU is gone", 42, "TPU is gone"),
    (FULL, 1, "the memory of a device is full: lower one of batch_size"),
  ],
)
def test_reported_gives_a_line_and_a_status(capsys, message, status, words):
  with pytest.raises(SystemExit) as stopped:
    with device_errors.reported("run it again"):
      raise jax.errors.JaxRuntimeError(message)
  assert stopped.value.code == status
  line = capsys.readouterr().err.strip()
  assert line.startswith("error: ") and words in line and "\n" not in line


def test_reported_leaves_a_bug_as_it_is():
  with pytest.raises(jax.errors.JaxRuntimeError, match="host-to-device"):
    with device_errors.reported("run it again"):
      raise jax.errors.JaxRuntimeError(
        "INVALID_ARGUMENT: Disallowed host-to-device transfer"
      )


def test_reported_knows_how_jax_reports_that_memory_is_full():
  """Not the text alone, but an error that the runtime raises."""
  with pytest.raises(SystemExit) as stopped:
    with device_errors.reported(""):
      jax.numpy.zeros((2**23, 2**23), "int8").block_until_ready()
  assert stopped.value.code == 1
