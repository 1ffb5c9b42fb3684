"""Tests of the format of orbax, and of its errors."""

import errno
import json
import os

import chex
import jax.numpy as jnp
import pytest

from mixup_jax.runtime import checkpoint
from mixup_jax.runtime.checkpoint import _orbax


def test_save_writes_files_that_orbax_and_json_read(shelf):
  import orbax.checkpoint as ocp

  with checkpoint.Checkpoints(shelf.path) as saved:
    saved.save(1, {"x": jnp.arange(3)})
  with ocp.StandardCheckpointer() as reader:
    like = {"['x']": jnp.zeros(3, jnp.int32)}
    chex.assert_trees_all_equal(
      reader.restore(shelf.path / "1" / "state", like), {"['x']": jnp.arange(3)}
    )
  listed = json.loads((shelf.path / "1" / "leaves" / "metadata").read_text())
  assert listed["leaves"]["['x']"]["dtype"] == "int32"


@pytest.mark.parametrize(
  "number, words",
  [
    (errno.ENOSPC, "free disk space"),
    (errno.EDQUOT, "free disk space"),
    (errno.EROFS, "permissions"),
    (errno.EMFILE, "ulimit -n"),
    (errno.EIO, "another way"),
  ],
)
def test_remedy_follows_the_cause(number, words):
  tensorstore = ValueError(f"UNKNOWN: Error [os_error_code='{number}']")
  for error in (OSError(number, os.strerror(number), "path"), tensorstore):
    assert _orbax.reason(error) == os.strerror(number)
    assert words in _orbax.remedy(error, "another way")
    is_full = number in (errno.ENOSPC, errno.EDQUOT)
    assert ("disk space" in _orbax.remedy(error, "another way")) == is_full
  assert _orbax.remedy(ValueError("no number"), "another way") == "another way"


# A limit on the size of files makes writes fail as on a full disk.
FULL = """
import os, pathlib, resource, sys
import jax
from mixup_jax.runtime import checkpoint

directory = pathlib.Path(sys.argv[1])
small = {str(i): jax.numpy.full(900, i) for i in range(20)}
large = {str(i): jax.random.normal(jax.random.key(i), 9000) for i in range(20)}
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)


def assert_fails(call):
  try:
    call()
  except OSError as error:
    assert str(error) == (
        f"could not write the checkpoint {directory}/2 (File too large): "
        "choose another directory; earlier checkpoints are intact.")
  else:
    assert False, call


for call in ("save", "wait", "close"):
  saved = checkpoint.Checkpoints(directory, keep=1)
  saved.save(1, small)
  saved.wait()
  resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, unlimited[1]))
  saved.save(2, large)
  assert_fails((lambda: saved.save(3, large)) if call == "save" else
               getattr(saved, call))
  resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
  assert os.listdir(directory) == ["1"]
  assert saved.restore(small)[0] == 1
saved.save(2, large)
saved.close()
assert saved.restore(large)[0] == 2
"""


@pytest.mark.slow
def test_save_on_a_full_disk_keeps_earlier_checkpoints(shelf, processes):
  assert processes(("-W", "default", "-c", FULL, str(shelf.path))) == (
    [0],
    [""],
  )
  assert shelf.names() == ["2"]
