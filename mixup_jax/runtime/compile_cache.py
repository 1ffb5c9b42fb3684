"""Keeps compiled programs for the next start of a command.

The cache is jax's own, in a directory of the user. A program whose entry is
damaged is compiled again. jax would then keep the entry: one that a killed
process or a full disk left in part is removed at the next start, as is one of a
month ago.
"""

import contextlib
import importlib.util
import os
import pathlib
import platform
import sys
import time
import warnings
import zlib

import jax

_SECONDS = "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"
_LEAST_SECONDS = 0.1  # A program that takes less is compiled each time.
_LONGEST = 30 * 24 * 3600.0  # Seconds that a program is kept.
_CHECKED = ".checked"  # Changed when entries were looked at last.
_WARNINGS = "Error (reading|writing) persistent compilation cache entry"


def enable() -> None:
  """Chooses the directory of the cache, unless jax was told one.

  It is $XDG_CACHE_HOME/mixup_jax, by default in ~/.cache. If it cannot be
  written, programs are compiled each time, without a word: nobody asked for it.
  """
  if jax.config.jax_compilation_cache_dir is not None or not _is_safe():  # type: ignore[attr-defined]
    return
  home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
  directory = pathlib.Path(home, "mixup_jax", "compiled", _machine())
  if not directory.is_absolute():
    return
  try:
    directory.mkdir(parents=True, exist_ok=True)
  except OSError:
    return
  if not os.access(directory, os.W_OK):
    return
  _clean(directory)
  warnings.filterwarnings("ignore", _WARNINGS, UserWarning)
  jax.config.update("jax_compilation_cache_dir", str(directory))
  if _SECONDS not in os.environ:
    jax.config.update(_SECONDS.lower(), _LEAST_SECONDS)


def _is_safe() -> bool:
  """Returns whether nobody misses what the compiler does not do.

  jax compresses entries with zlib, which has a checksum, or if there is one
  with zstd, which has none here. What the compiler is to write down (dumps of
  its programs), a program from the cache is without.
  """
  has_zstd = importlib.util.find_spec("zstandard") or sys.version_info >= (
    3,
    14,
  )
  return not has_zstd and "--xla_dump" not in os.environ.get("XLA_FLAGS", "")


def _clean(directory: pathlib.Path) -> None:
  """Removes old entries, and those since the last start that are cut off.

  Another process may be writing one: it finds it gone the next time, no more.
  """
  checked = directory / _CHECKED
  try:
    last = checked.stat().st_mtime if checked.exists() else 0.0
    checked.touch()
  except OSError:  # The disk is full.
    return
  for entry in directory.glob("*-cache"):
    with contextlib.suppress(OSError):  # Another process removed it.
      written = entry.stat().st_mtime
      is_old = written < time.time() - _LONGEST
      if is_old or (written >= last and not _is_whole(entry.read_bytes())):
        entry.unlink()


def _is_whole(entry: bytes) -> bool:
  try:
    zlib.decompress(entry)
  except zlib.error:
    return False
  return True


def _machine() -> str:
  """Returns what code for this processor runs on: homes may be shared."""
  about = [platform.machine(), platform.processor()]
  try:
    info = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8")
    about += [x for x in info.splitlines() if x.startswith("flags")][:1]
  except OSError:  # Not on Linux.
    pass
  return f"{zlib.crc32(' '.join(about).encode()):08x}"
