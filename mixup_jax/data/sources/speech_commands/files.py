"""Reads folders of spoken words, as they are or packed, clip by clip."""

import pathlib
import struct
from typing import Iterator, NamedTuple

import numpy as np

from mixup_jax.data.sources import archives

RATE = 16_000  # Samples a second, and samples of a clip.
LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}
# Version 0.02 has 3.5 GB, noise included.
_MOST_BYTES = 2**33
_PCM, _EXTENSIBLE = 1, 0xFFFE
# A program that writes into a pipe cannot know the length: it claims most that
# 32 bits, or 31, can hold.
_UNKNOWN_LENGTH = 0x7FFF0000


class File(NamedTuple):
  """A file of a set.

  Attributes:
    name: Its path below the folder of the set, such as "yes/a_nohash_0.wav".
    data: Its bytes.
  """

  name: str
  data: bytes


def find(path: pathlib.Path) -> pathlib.Path:
  """Finds the one set that is at or below a path.

  Args:
    path: An archive, or a directory that holds one, or folders of words.

  Returns:
    The archive, or the directory of the folders.

  Raises:
    FileNotFoundError: If there is none.
    ValueError: If there are several.
  """
  if path.is_file():
    return path
  packed = archives.find(path, "**/*")
  # Others may lie beside it; but it may have any name too.
  found = {p for p in packed if p.name.startswith("speech_commands")}
  found = found or set(packed)
  found |= {
    p.parents[1]
    for p in path.rglob("*")
    if is_wav(p.name) and not archives.is_hidden(p.relative_to(path))
  }
  if not found:
    raise FileNotFoundError(
      f"there are neither folders of .wav files nor an archive of them "
      f"({', '.join(archives.ENDINGS)}) in {path} or below it: name the "
      "directory that holds them with --raw."
    )
  if len(found) > 1:
    raise ValueError(
      f"{path} holds several sets, such as {min(found)} and "
      f"{max(found)}: name one of them with --raw."
    )
  return found.pop()


def is_wav(name: str) -> bool:
  """Returns whether a file is named as a clip."""
  return name.lower().endswith(".wav")


def read(path: pathlib.Path, passed: list[str] | None = None) -> Iterator[File]:
  """Yields the wavs and lists of a set.

  Args:
    path: As `find` returns it.
    passed: Takes the names of other files in folders of words.

  Yields:
    Its files. Noise to be put behind the words is not among them.

  Raises:
    ValueError: If an archive cannot be unpacked, or unpacks to too much.
  """
  files = _read_archive(path) if path.is_file() else _read_folder(path)
  for file in files:
    folder, _, name = file.name.rpartition("/")
    if archives.is_hidden(pathlib.PurePosixPath(file.name)):
      continue
    if folder and not folder.startswith("_"):
      if is_wav(name):
        yield file
      elif passed is not None:
        passed.append(file.name)
    elif not folder and name in LISTS.values():
      yield file


def parse(file: File) -> tuple[np.ndarray, int]:
  """Reads a clip, and makes it a second long.

  Args:
    file: A wav file.

  Returns:
    `[16000]` int16 samples, padded with silence or cut at the end, and how many
    it had.

  Raises:
    ValueError: If it is no wav of 16 kHz, 16 bits and one channel, or it ends
      early, or has no samples.
  """
  kind, data, promised = _parse_wav(file)
  if kind != (RATE, 16, 1):
    raise ValueError(
      f"{file.name} has {kind[0]} Hz, {kind[1]} bits and "
      f"{kind[2]} channels, not {RATE} Hz, 16 bits and 1"
    )
  samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16)
  if not len(samples) or len(data) < promised:
    raise ValueError(
      f"{file.name} ends after {len(samples)} of {promised // 2} samples"
    )
  clip = samples[:RATE]
  return np.pad(clip, (0, RATE - len(clip))), len(samples)


def _parse_wav(file: File) -> tuple[tuple[int, int, int], bytes, int]:
  """Returns rate, bits and channels; the data; and the bytes they should have.

  The module `wave` takes neither data of unknown length nor, before Python
  3.12, the extensible format.
  """
  if file.data[:4] != b"RIFF" or file.data[8:12] != b"WAVE":
    raise ValueError(f"{file.name} is no wav file: it does not begin as one")
  at, kind = 12, None
  while at + 8 <= len(file.data):
    name = file.data[at : at + 4]
    length = int.from_bytes(file.data[at + 4 : at + 8], "little")
    chunk = file.data[at + 8 : at + 8 + length]
    at += 8 + length + length % 2
    if name == b"fmt " and len(chunk) >= 16:
      code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", chunk[:16])
      if code == _EXTENSIBLE:  # Then the format follows later.
        code = int.from_bytes(chunk[24:26], "little")
      if code != _PCM:
        raise ValueError(f"{file.name} has format {code}, and 1, PCM, is read")
      kind = rate, bits, channels
    elif name == b"data" and kind:
      unknown = length >= _UNKNOWN_LENGTH
      return kind, chunk, len(chunk) if unknown else length
  raise ValueError(f"{file.name} is no wav file: its header is incomplete")


def _read_folder(path: pathlib.Path) -> Iterator[File]:
  """Yields the files of a folder, in the order of their names."""
  for child in sorted(path.rglob("*")):
    name = child.relative_to(path).as_posix()
    if child.is_file():
      is_read = is_wav(name) or name in LISTS.values()
      yield File(name, child.read_bytes() if is_read else b"")


def _read_archive(path: pathlib.Path) -> Iterator[File]:
  """Yields the files of an archive, in the order in which it holds them."""
  for member in archives.read(path, most_bytes=_MOST_BYTES):
    yield File(_below_the_set(member.name), member.read())


def _below_the_set(name: str) -> str:
  """Returns a path in an archive from the folder of the set on."""
  parts = pathlib.PurePosixPath(name).parts
  kept = 2 if is_wav(name) else 1
  return "/".join(parts[-kept:])
