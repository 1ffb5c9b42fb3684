"""Tests of the detection of damaged checkpoints."""

import errno
import os
import pathlib
import random
import shutil

import chex
import jax.numpy as jnp
import pytest

from mixup_jax.runtime import checkpoint
from mixup_jax.runtime import storage
from mixup_jax.runtime.checkpoint import _leaves
from mixup_jax.runtime.checkpoint import _reading


def data_file(directory):
  """Returns the file with the values."""
  files = [path for path in directory.rglob("*") if path.is_file()]
  return max(files, key=lambda path: path.stat().st_size)


def flip_bit(path, at=0.5):
  content = bytearray(path.read_bytes())
  content[int(at * len(content))] ^= 16
  path.write_bytes(content)


DAMAGES = {
  "flipped": flip_bit,
  "cut": lambda path: os.truncate(path, path.stat().st_size // 2),
  "deleted": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("file", ["data", "list"])
def test_restore_reports_a_damaged_checkpoint_and_moves_it_aside(
  shelf, capfd, damage, file
):
  shelf.save(1, 2)
  newest = shelf.path / "2"
  damage(
    data_file(newest) if file == "data" else newest / "leaves" / "metadata"
  )
  shelf.assert_restores(1)
  (line,) = capfd.readouterr().err.splitlines()
  assert f"checkpoint {newest} is damaged (" in line and "2.damaged" in line
  if file == "list":
    assert "the list of leaves" in line
  else:
    assert "['a/b.c']" in line or "['half']" in line
  assert shelf.names() == ["1", "2.damaged"]
  shelf.save(2)
  shelf.assert_restores(2)
  flip_bit(data_file(newest))
  shelf.assert_restores(1)
  assert shelf.names() == ["1", "2.damaged", "2.damaged1"]


def test_read_refuses_a_damaged_checkpoint_and_moves_nothing(shelf, capfd):
  """The one before is of a network that is not trained to its end."""
  shelf.save(1, 2)
  like = shelf.placed(shelf.tree(0), 1)
  with checkpoint.Checkpoints(shelf.path) as saved:
    step, state = saved.read(like)
    assert step == 2
    chex.assert_trees_all_equal(state, shelf.tree(2))
    flip_bit(data_file(shelf.path / "2"))
    with pytest.raises(OSError, match="/2 is damaged .*: put a copy of it th"):
      saved.read(like)
  assert shelf.names() == ["1", "2"] and not capfd.readouterr().err


def test_restore_does_not_take_a_damaged_list_for_another_model(shelf):
  shelf.save(1, 2)
  listed = shelf.path / "2" / "leaves" / "metadata"
  listed.write_text(listed.read_text().replace("float32", "float64"))
  shelf.assert_restores(1)


@pytest.mark.parametrize("number", (errno.EACCES, errno.EIO, errno.EMFILE))
@pytest.mark.parametrize("file", ["data", "list"])
def test_restore_leaves_what_it_cannot_read_as_it_is(
  shelf, capfd, monkeypatch, number, file
):
  shelf.save(1, 2)

  def fail(*_):
    raise OSError(number, os.strerror(number), "a file")

  with monkeypatch.context() as patched:
    if file == "list":
      patched.setattr(pathlib.Path, "read_text", fail)
    else:

      class Store:
        def result(self):
          raise ValueError(f"UNKNOWN: failed [os_error_code='{number}']")

      patched.setattr(_reading, "_open", lambda *_: Store())
    with pytest.raises(OSError, match=f"cannot read .*{shelf.path}/2") as error:
      shelf.restore()
  assert os.strerror(number) in str(error.value)
  assert "disk space" not in str(error.value)
  assert shelf.names() == ["1", "2"] and not capfd.readouterr().err
  shelf.assert_restores(2)


@pytest.mark.parametrize("file", ["data", "list"])
def test_restore_takes_no_outage_of_a_bucket_for_damage(
  remote, capfd, monkeypatch, file
):
  remote.save(1, 2)

  def fail(*_):
    import aiohttp

    raise aiohttp.ClientOSError(errno.ECONNRESET, "reset")

  with monkeypatch.context() as patched:
    if file == "list":
      patched.setattr(_leaves, "read_list", fail)
    else:

      class Store:
        def result(self):
          raise ValueError("All 32 retry attempts failed: CURL error")

      patched.setattr(_reading, "_open", lambda *_: Store())
    with pytest.raises(storage.Unavailable, match="is not available"):
      remote.restore()
  assert remote.names() == ["1", "2"]
  assert "damaged" not in capfd.readouterr().err  # Its clients may log.
  remote.assert_restores(2)


def test_restore_moves_a_damaged_checkpoint_of_a_bucket_aside(remote, capfd):
  remote.save(1, 2)
  files = storage.files_below(remote.path / "2")
  flip_bit(max(files, key=lambda path: len(path.read_bytes())))
  remote.assert_restores(1)
  assert "renamed to 2.damaged, reading the prev" in capfd.readouterr().err
  assert remote.names() == ["1", "2.damaged"]
  remote.save(2)
  remote.assert_restores(2)


def test_restore_returns_no_wrong_state_after_a_flipped_bit(tmp_path, shelf):
  shelf.save(1, 2)
  whole = tmp_path / "whole"
  (shelf.path / "2").rename(whole)
  chance = random.Random(0)
  files = [path for path in sorted(whole.rglob("*")) if path.is_file()]
  outcomes = []
  for file in files:
    for _ in range(3):
      shutil.copytree(whole, shelf.path / "2")
      flip_bit(shelf.path / "2" / file.relative_to(whole), chance.random())
      outcomes.append(shelf.restore()[0])
      shelf.assert_restores(outcomes[-1])
      shutil.rmtree(shelf.path / "2", ignore_errors=True)
  assert {1, 2} == set(outcomes)


def test_restore_raises_if_no_checkpoint_is_intact(shelf):
  shelf.save(1, 2)
  for number in (1, 2):
    flip_bit(data_file(shelf.path / str(number)))
  for _ in range(2):  # A restart raises too.
    with pytest.raises(
      OSError,
      match=f"no checkpoint in {shelf.path} is intact: "
      r".* delete those named \*.damaged",
    ):
      shelf.restore()
  assert shelf.names() == ["1.damaged", "2.damaged"]
  for name in shelf.names():
    shutil.rmtree(shelf.path / name)
  assert shelf.restore() is None


@pytest.mark.parametrize(
  "change, message",
  [
    (
      {"step": jnp.ones((2,))},
      r"\['step'\] is int32\[\] there and float32\[2\] here",
    ),
    (
      {"step": jnp.float32(0)},
      r"\['step'\] is int32\[\] there and float32\[\] here",
    ),
    (
      {"batch_stats": {"mean": jnp.ones(2)}},
      r"\['batch_stats'\]\['mean'\] is missing there and float32\[2\] here",
    ),
    (
      {"params": {}},
      r"\['params'\]\['a/b.c'\] is float32\[8,40\] there and missing here",
    ),
  ],
  ids=["shape", "dtype", "more", "fewer"],
)
def test_restore_refuses_another_model(shelf, capfd, change, message):
  shelf.save(1)
  with pytest.raises(ValueError, match=f"another model: {message}. Use the mo"):
    shelf.restore(shelf.placed(shelf.tree(0) | change, 1))
  assert shelf.names() == ["1"] and not capfd.readouterr().err
  shelf.assert_restores(1)
