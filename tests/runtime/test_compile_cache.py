"""Tests of the cache of compiled programs."""

import errno
import os
import pathlib
import time
import zlib

from etils import epath
import jax
from jax.experimental.compilation_cache import compilation_cache
import jax.numpy as jnp
import pytest

from mixup_jax.runtime import compile_cache

SETTINGS = (
  "jax_compilation_cache_dir",
  "jax_enable_compilation_cache",
  "jax_persistent_cache_min_compile_time_secs",
)


@pytest.fixture
def home(tmp_path, monkeypatch):
  """Returns the caches of a user, whose jax was told nothing."""
  before = {name: getattr(jax.config, name) for name in SETTINGS}
  monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
  monkeypatch.delenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", False)
  jax.config.update("jax_compilation_cache_dir", None)
  compilation_cache.reset_cache()
  yield tmp_path
  for name, value in before.items():
    jax.config.update(name, value)
  compilation_cache.reset_cache()


def directory() -> str | None:
  return jax.config.jax_compilation_cache_dir


def test_enable_finds_a_program_that_was_compiled_before(home, monkeypatch):
  monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
  jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
  jax.config.update("jax_enable_compilation_cache", True)
  compile_cache.enable()
  hits = []
  jax.monitoring.register_event_listener(
    lambda event, **_: hits.append(event) if "cache_hits" in event else None
  )
  for _ in range(2):  # Each has a function of its own, as each process does.
    assert not hits
    jax.jit(lambda x: jnp.sin(x) + 20171025)(jnp.float32(0))
  assert hits
  assert list((home / "mixup_jax" / "compiled").glob("*/jit__lambda*-cache"))


def test_enable_removes_what_was_written_in_part_or_long_ago(home):
  compile_cache.enable()
  entries = {
    "whole": zlib.compress(b"program"),
    "cut": zlib.compress(b"program")[:-1],
    "empty": b"",  # What a full disk leaves.
  }
  for name, data in entries.items():
    pathlib.Path(directory(), f"{name}-cache").write_bytes(data)
  day = 24 * 3600
  for name, age in (("seen", day), ("old", 31 * day)):
    entry = pathlib.Path(directory(), f"{name}-cache")
    # One that was looked at before is not read again: starts stay quick.
    entry.write_bytes(b"")
    os.utime(entry, (time.time() - age,) * 2)
  jax.config.update("jax_compilation_cache_dir", None)
  compile_cache.enable()
  left = {path.name for path in pathlib.Path(directory()).glob("*-cache")}
  assert left == {"whole-cache", "seen-cache"}


def test_enable_says_nothing_of_a_full_disk(home, monkeypatch, recwarn):
  monkeypatch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
  jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
  jax.config.update("jax_enable_compilation_cache", True)
  compile_cache.enable()
  attempts = []

  def fail(self, data):
    attempts.append(self)
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  monkeypatch.setattr(type(epath.Path(home)), "write_bytes", fail)
  assert jax.jit(lambda x: x + 20171026)(1) == 20171027
  assert attempts and not recwarn.list


def test_enable_keeps_programs_of_a_tenth_of_a_second(home):
  compile_cache.enable()
  assert jax.config.jax_persistent_cache_min_compile_time_secs == 0.1
  assert pathlib.Path(directory()).parent == home / "mixup_jax" / "compiled"


def test_enable_leaves_what_jax_was_told(home, monkeypatch):
  jax.config.update("jax_compilation_cache_dir", "there")
  compile_cache.enable()
  assert directory() == "there" and not list(home.iterdir())


@pytest.mark.parametrize("case", ("dump", "zstandard", "file", "relative"))
def test_enable_does_without_where_it_would_do_harm(home, monkeypatch, case):
  if case == "dump":
    monkeypatch.setenv("XLA_FLAGS", "--xla_dump_to=there")
  elif case == "zstandard":
    find = compile_cache.importlib.util.find_spec
    monkeypatch.setattr(
      compile_cache.importlib.util,
      "find_spec",
      lambda name: name == case or find(name),
    )
  elif case == "file":
    (home / "mixup_jax").write_text("in the way")
  else:
    monkeypatch.chdir(home)
    monkeypatch.setenv("XDG_CACHE_HOME", "there")
  compile_cache.enable()
  assert directory() is None


def test_enable_does_without_a_directory_that_it_cannot_write(
  home, monkeypatch
):
  monkeypatch.setattr(os, "access", lambda path, mode: False)
  compile_cache.enable()
  assert directory() is None


def test_enable_has_a_directory_for_each_kind_of_processor(home, monkeypatch):
  """Homes are shared by machines, and code for one may not run on another."""
  chosen = set()
  for flags in ("avx2", "avx2 avx512f"):
    jax.config.update("jax_compilation_cache_dir", None)
    info = f"processor\t: 0\nflags\t\t: fpu {flags}\n"
    monkeypatch.setattr(pathlib.Path, "read_text", lambda *_, **__: info)
    compile_cache.enable()
    chosen.add(directory())
  assert len(chosen) == 2
