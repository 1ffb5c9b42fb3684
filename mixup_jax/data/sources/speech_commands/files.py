"""Reads folders of spoken words, as they are or packed, clip by clip."""

import io
import pathlib
import tarfile
from typing import Iterator, NamedTuple
import wave
import zlib

import numpy as np

RATE = 16_000  # Samples a second, and samples of a clip.
LISTS = {"validation": "validation_list.txt", "test": "testing_list.txt"}
_ARCHIVES = (".tar.gz", ".tgz", ".tar.xz")


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
  found = {p for p in path.rglob("*") if p.name.endswith(_ARCHIVES)}
  found |= {p.parents[1] for p in path.rglob("*.wav")}
  if not found:
    raise FileNotFoundError(
      f"there are neither folders of .wav files nor an archive of them "
      f"({', '.join(_ARCHIVES)}) in {path} or below it: name the directory "
      "that holds them with --raw."
    )
  if len(found) > 1:
    raise ValueError(
      f"{path} holds several sets, such as {min(found)} and "
      f"{max(found)}: name one of them with --raw."
    )
  return found.pop()


def read(path: pathlib.Path) -> Iterator[File]:
  """Yields the wavs and lists of a set.

  Args:
    path: As `find` returns it.

  Yields:
    Its files. Noise to be put behind the words is not among them.

  Raises:
    ValueError: If an archive cannot be unpacked.
  """
  files = _read_archive(path) if path.is_file() else _read_folder(path)
  for file in files:
    folder, _, name = file.name.rpartition("/")
    is_clip = folder and name.endswith(".wav") and not folder.startswith("_")
    if is_clip or (not folder and name in LISTS.values()):
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
  try:
    with wave.open(io.BytesIO(file.data)) as clip:
      kind = clip.getframerate(), clip.getsampwidth(), clip.getnchannels()
      promised = clip.getnframes()
      data = clip.readframes(promised)
  except (wave.Error, EOFError) as error:
    raise ValueError(f"{file.name} is no wav file ({error})") from error
  if kind != (RATE, 2, 1):
    raise ValueError(
      f"{file.name} has {kind[0]} Hz, {8 * kind[1]} bits and "
      f"{kind[2]} channels, not {RATE} Hz, 16 bits and 1"
    )
  samples = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.int16)
  if not len(samples) or len(samples) != promised:
    raise ValueError(
      f"{file.name} ends after {len(samples)} of {promised} samples"
    )
  clip = samples[:RATE]
  return np.pad(clip, (0, RATE - len(clip))), len(samples)


def _read_folder(path: pathlib.Path) -> Iterator[File]:
  """Yields the files of a folder, in the order of their names."""
  for child in sorted(path.rglob("*")):
    if child.is_file():
      name = child.relative_to(path).as_posix()
      if child.suffix == ".wav" or name in LISTS.values():
        yield File(name, child.read_bytes())


def _read_archive(path: pathlib.Path) -> Iterator[File]:
  """Yields the files of an archive, in the order in which it holds them."""
  try:
    with tarfile.open(path) as archive:
      for member in archive:
        contents = archive.extractfile(member) if member.isfile() else None
        if contents is not None:
          yield File(_below_the_set(member.name), contents.read())
  except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
    raise ValueError(
      f"{path} cannot be unpacked ({error}): it is cut off or "
      "damaged, fetch it again."
    ) from error


def _below_the_set(name: str) -> str:
  """Returns a path in an archive from the folder of the set on."""
  parts = pathlib.PurePosixPath(name).parts
  kept = 2 if name.endswith(".wav") else 1
  return "/".join(parts[-kept:])
