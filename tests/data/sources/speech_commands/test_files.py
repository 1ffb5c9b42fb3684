"""Tests of the reader of Speech Commands."""

import io
import struct
import tarfile
import wave

import numpy as np
import pytest

from mixup_jax.data.sources.speech_commands import files


def wav(samples, rate=16_000, width=2, channels=1):
  buffer = io.BytesIO()
  with wave.open(buffer, "wb") as clip:
    clip.setnchannels(channels)
    clip.setsampwidth(width)
    clip.setframerate(rate)
    clip.writeframes(np.asarray(samples, "<i2").tobytes())
  return buffer.getvalue()


FILES = {
  "yes/a_nohash_0.wav": wav([1, 2, 3]),
  "no/b_nohash_0.wav": wav([4]),
  "_background_noise_/noise.wav": wav([5]),
  "testing_list.txt": b"no/b_nohash_0.wav\n",
  "README.md": b"text",
  "LICENSE": b"text",
}
WANTED = {"yes/a_nohash_0.wav", "no/b_nohash_0.wav", "testing_list.txt"}


def write_folder(path):
  for name, data in FILES.items():
    (path / name).parent.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(data)
  return path


def write_archive(path, prefix=""):
  path.parent.mkdir(parents=True, exist_ok=True)
  with tarfile.open(path, "w:xz" if path.suffix == ".xz" else "w:gz") as tar:
    for name, data in FILES.items():
      member = tarfile.TarInfo(prefix + name)
      member.size = len(data)
      tar.addfile(member, io.BytesIO(data))
  return path


def parse(data):
  return files.parse(files.File("yes/a.wav", data))


def test_read_of_folders_equals_that_of_archives(tmp_path):
  folder = write_folder(tmp_path / "raw" / "speech")
  paths = [
    folder,
    write_archive(tmp_path / "one.tar.gz"),
    write_archive(tmp_path / "two.tar.xz", prefix="speech_v1/"),
    write_archive(tmp_path / "three.tgz", prefix="./"),
  ]
  for path in paths:
    found = {file.name: file.data for file in files.read(path)}
    assert found == {name: FILES[name] for name in WANTED}, path


def test_find_returns_the_one_set_below(tmp_path):
  folder = write_folder(tmp_path / "a" / "b")
  assert files.find(tmp_path) == folder == files.find(folder)
  archive = write_archive(tmp_path / "c" / "x.tar.gz")
  assert files.find(archive) == archive == files.find(tmp_path / "c")
  with pytest.raises(ValueError, match="holds several sets, such as"):
    files.find(tmp_path)
  (tmp_path / "empty").mkdir()
  with pytest.raises(FileNotFoundError, match="neither folders of .wav files"):
    files.find(tmp_path / "empty")


def test_read_reports_an_archive_that_is_cut_off(tmp_path):
  path = write_archive(tmp_path / "x.tar.gz")
  path.write_bytes(path.read_bytes()[:-60])
  with pytest.raises(ValueError, match="x.tar.gz cannot be unpacked"):
    list(files.read(path))


@pytest.mark.parametrize("length", (3, 16_000, 20_000))
def test_parse_pads_and_cuts_clips_to_a_second(length):
  samples = np.arange(length) % 1000 - 500
  clip, found = parse(wav(samples))
  assert clip.shape == (16_000,) and clip.dtype == np.int16
  assert found == length
  kept = min(length, 16_000)
  np.testing.assert_array_equal(clip[:kept], samples[:kept])
  assert not clip[kept:].any()


@pytest.mark.parametrize(
  "data, message",
  [
    (b"", "yes/a.wav is no wav file"),
    (b"RIFF....WAVEjunk", "yes/a.wav is no wav file"),
    (b"RIFF....WAVEdata\4\0\0\0abcd", "yes/a.wav is no wav file: its header"),
    (b"RIFF....WAVE" + wav([1])[12:20] + b"\3\0", "wav is no wav file: its h"),
    (wav([1]).replace(b"\x10\0\0\0\1\0", b"\x10\0\0\0\3\0"), "has format 3, "),
    (wav([1, 2], rate=8000), "has 8000 Hz, 16 bits and 1 channels"),
    (wav([1, 2], width=1), "has 16000 Hz, 8 bits"),
    (wav([1, 2], channels=2), "16 bits and 2 channels"),
    (wav([]), "ends after 0 of 0 samples"),
    (wav([1, 2, 3])[:-2], "ends after 2 of 3 samples"),
    (wav([1, 2, 3])[:-3], "ends after 1 of 3 samples"),
  ],
)
def test_parse_names_what_is_no_clip(data, message):
  with pytest.raises(ValueError, match=message):
    parse(data)


def riff(*chunks):
  body = b"".join(
    name + struct.pack("<I", len(data) if size is None else size) + data
    for name, data, size in chunks
  )
  return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


FORMAT = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)
PCM = bytes.fromhex("0100000000001000800000aa00389b71")
EXTENSIBLE = b"\xfe\xff" + FORMAT[2:] + struct.pack("<HHI", 22, 16, 4) + PCM


@pytest.mark.parametrize(
  "data",
  (
    riff((b"fmt ", FORMAT, None), (b"data", b"\1\0\2\0", None)),
    riff((b"fmt ", FORMAT, None), (b"data", b"\1\0\2\0", 0xFFFFFFFF)),
    riff((b"fmt ", FORMAT, None), (b"data", b"\1\0\2\0", 0x7FFFFFDB)),
    riff((b"fmt ", EXTENSIBLE, None), (b"data", b"\1\0\2\0", None)),
    riff(
      (b"LIST", b"abc\0", 3),  # Chunks lie on even bytes.
      (b"fmt ", FORMAT, None),
      (b"fact", b"1234", None),
      (b"data", b"\1\0\2\0", None),
      (b"LIST", b"more", None),
    ),
  ),
  ids=("plain", "ffmpeg_pipe", "sox_pipe", "extensible", "other_chunks"),
)
def test_parse_takes_what_the_header_allows(data):
  clip, found = parse(data)
  assert found == 2 and clip[:3].tolist() == [1, 2, 0]


def test_read_compares_endings_without_case_and_names_what_is_left(tmp_path):
  folder = write_folder(tmp_path / "raw")
  clip = folder / "yes" / "a_nohash_0.wav"
  clip.rename(clip.with_suffix(".WAV"))
  for name in ("yes/c.mp3", "yes/._d.wav", ".ipynb_checkpoints/e.wav"):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(clip.name.encode())
  assert files.find(tmp_path) == folder
  passed = []
  found = {file.name for file in files.read(folder, passed)}
  assert found == (WANTED - {"yes/a_nohash_0.wav"}) | {"yes/a_nohash_0.WAV"}
  assert passed == ["yes/c.mp3"]


def test_find_prefers_archives_that_are_named_like_the_set(tmp_path):
  (tmp_path / "abalone.zip").touch()
  assert files.find(tmp_path) == tmp_path / "abalone.zip"
  archive = write_archive(tmp_path / "a" / "speech_commands_v0.01.tar.gz")
  assert files.find(tmp_path) == archive


def test_read_refuses_a_bomb(tmp_path, monkeypatch):
  path = write_archive(tmp_path / "x.tar.gz")
  monkeypatch.setattr(files, "_MOST_BYTES", 10**3)
  with pytest.raises(ValueError, match="unpacks to more than 1000 bytes"):
    list(files.read(path))
