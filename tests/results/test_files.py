"""Tests of strict JSON, and of files that are replaced in one step."""

import errno
import json
import os

import numpy as np
import pytest

from mixup_jax.results import files


def test_to_json_has_null_for_what_is_not_finite():
  content = {"a": [1.5, float("nan")], "b": (np.float64("inf"), 2), "c": None}
  assert (
    files.to_json(content) == '{"a": [1.5, null], "b": [null, 2], "c": null}'
  )


def test_replace_keeps_the_old_file_if_the_disk_is_full(tmp_path, monkeypatch):
  path = tmp_path / "a.json"
  files.replace(path, "old")

  def fail(_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  monkeypatch.setattr(os, "fsync", fail)
  with pytest.raises(OSError, match="No space left"):
    files.replace(path, "new")
  assert path.read_text() == "old\n"


def test_replace_ends_a_text_with_one_newline(tmp_path):
  for text, written in (("", ""), ("a", "a\n"), ("a\nb\n", "a\nb\n")):
    files.replace(tmp_path / "a", text)
    assert (tmp_path / "a").read_text() == written


def test_read_checked_returns_what_was_written_or_raises(tmp_path):
  path = tmp_path / "a.json"
  content = {"losses": [0.1, 1 / 3], "name": "ü", "none": None}
  files.write_checked(path, content)
  whole = path.read_bytes()
  assert files.read_checked(path) == content
  assert "crc32" in json.loads(whole)
  for at in range(len(whole) - 1):  # The last one ends the line.
    damaged = bytearray(whole)
    damaged[at] ^= 1 << at % 8
    path.write_bytes(damaged)
    try:
      assert files.read_checked(path) == content
    except OSError as error:
      assert str(error).startswith(f"{path} is damaged")
  for text in (b"", whole[:-9], b"[]", b"{}", b'{"losses": [0.1]}'):
    path.write_bytes(text)
    with pytest.raises(OSError, match="damaged.*or delete it"):
      files.read_checked(path)


def test_read_checked_returns_none_for_nan(tmp_path):
  files.write_checked(tmp_path / "a", {"x": [float("nan"), 1.0]})
  assert files.read_checked(tmp_path / "a") == {"x": [None, 1.0]}
