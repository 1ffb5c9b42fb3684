"""Tests of the reader of Speech Commands."""

import io
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
