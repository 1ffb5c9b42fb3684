"""Tests of the builder of Speech Commands."""

import io
import subprocess
import sys
import tarfile
import wave

import numpy as np
import pytest
import tensorflow_datasets as tfds

from mixup_jax.data.sources.speech_commands import builder
from mixup_jax.data.sources.speech_commands import spec

SUBSET = spec.SETS[-1]


@pytest.fixture(autouse=True)
def quiet():
  tfds.disable_progress_bar()


def wav(length=16_000, value=1):
  buffer = io.BytesIO()
  with wave.open(buffer, "wb") as clip:
    clip.setnchannels(1)
    clip.setsampwidth(2)
    clip.setframerate(16_000)
    clip.writeframes(np.full(length, value, "<i2").tobytes())
  return buffer.getvalue()


def write(path, speakers=30, words=("yes", "no"), lists=True):
  """Writes a clip of each word by each speaker."""
  names = [
    f"{word}/{speaker:08x}_nohash_0.wav"
    for word in words
    for speaker in range(speakers)
  ]
  for index, name in enumerate(names):
    (path / name).parent.mkdir(parents=True, exist_ok=True)
    (path / name).write_bytes(wav(value=index + 1))
  if lists:
    (path / "testing_list.txt").write_text("\n".join(names[:4]))
    (path / "validation_list.txt").write_text(
      "\n".join(names[-3:] + ["yes/absent.wav"])
    )
  return names


def publish(path):
  """Makes the lists those of a published set, with clips that are there."""
  listed = path / "validation_list.txt"
  listed.write_text(listed.read_text().replace("\nyes/absent.wav", ""))


def test_speech_holds_what_raw_files_do(tmp_path):
  names = write(tmp_path / "raw")
  prepared = builder.Speech(
    config=SUBSET.name, raw_dir=tmp_path / "raw", data_dir=tmp_path / "data"
  )
  prepared.download_and_prepare()
  assert prepared.remarks == []
  counts = {k: v.num_examples for k, v in prepared.info.splits.items()}
  assert counts == {"train": 53, "validation": 3, "test": 4}
  label = prepared.info.features["label"]
  found = {}
  for split in counts:
    for example in prepared.as_data_source(split):
      assert example["audio"].dtype == np.int16
      name = example["file_name"]
      name = name.decode() if isinstance(name, bytes) else name
      assert name.startswith(label.int2str(example["label"]) + "/")
      found[name] = int(example["audio"][0])
  assert found == {name: index + 1 for index, name in enumerate(names)}


def test_speech_without_lists_has_no_speaker_in_two_splits(tmp_path):
  write(tmp_path, speakers=200, lists=False)
  splits, _ = builder.read(SUBSET, tmp_path)
  speakers = {
    split: {x["file_name"][-21:-13] for x in examples}
    for split, examples in splits.items()
  }
  assert not speakers["train"] & speakers["test"]
  assert not speakers["validation"] & (speakers["test"] | speakers["train"])
  assert sum(map(len, speakers.values())) == 200
  assert 100 < len(speakers["train"]) < 160 and len(speakers["test"]) > 20


def test_speech_counts_and_names_odd_clips(tmp_path):
  names = write(tmp_path, speakers=100)
  for name, data in zip(
    names[10:], (wav(9000), wav(20_000), wav(value=0), b"junk")
  ):
    (tmp_path / name).write_bytes(data)
  splits, remarks = builder.read(SUBSET, tmp_path)
  assert sum(map(len, splits.values())) == 199
  assert remarks[:3] == [
    f"1 of them {how}, such as {name}"
    for how, name in zip(("padded", "cut", "silent"), names[10:])
  ]
  assert remarks[3].startswith(f"left out: {names[13]} is no wav file")


def test_speech_refuses_many_unreadable_clips(tmp_path):
  names = write(tmp_path)
  for name in names[:2]:
    (tmp_path / name).write_bytes(b"")
  with pytest.raises(ValueError, match="2 of 60 clips in .* cannot be read: "):
    builder.read(SUBSET, tmp_path)


def test_speech_refuses_another_set(tmp_path):
  write(tmp_path / "few")
  with pytest.raises(ValueError, match="v0.01 has 51088 train, .* as speech_c"):
    builder.read(spec.SETS[0], tmp_path / "few")
  write(tmp_path / "other", words=("yes", "perhaps"))
  with pytest.raises(ValueError, match="'perhaps', which is no word of"):
    builder.read(SUBSET, tmp_path / "other")
  write(tmp_path / "one", speakers=1, lists=False)
  with pytest.raises(ValueError, match="clips: each split needs some"):
    builder.read(SUBSET, tmp_path / "one")


@pytest.mark.parametrize(
  "file, old, new, message",
  [
    (
      "testing_list.txt",
      None,
      None,
      "has no testing_list.txt, which names its",
    ),
    ("validation_list.txt", None, None, "has no validation_list.txt"),
    (
      "testing_list.txt",
      "yes/00000000_nohash_0.wav\n",
      "",
      "has a testing_list.txt of 3 clips instead of 4",
    ),
    (
      "testing_list.txt",
      "yes/00000000_nohash_0.wav",
      "yes/absent.wav",
      "has a testing_list.txt with yes/absent.wav, but no such clip: fetch .* "
      "again, or prepare what is there as speech_commands_subset",
    ),
  ],
)
def test_speech_refuses_a_published_set_with_other_lists(
  tmp_path, monkeypatch, file, old, new, message
):
  (config, *_) = builder.Speech.BUILDER_CONFIGS
  counts = {"train": 53, "validation": 3, "test": 4}
  monkeypatch.setattr(config, "clips", counts)
  names = write(tmp_path)
  publish(tmp_path)
  (tmp_path / names[20]).write_bytes(wav(9000))  # One that is irregular.
  splits, _ = builder.read(config, tmp_path)
  assert {split: len(clips) for split, clips in splits.items()} == counts
  path = tmp_path / file
  if old is None:
    path.unlink()
  else:
    path.write_text(path.read_text().replace(old, new))
  with pytest.raises(ValueError, match=message):
    builder.read(config, tmp_path)


def test_speech_remarks_that_a_split_is_not_that_of_lists(tmp_path):
  write(tmp_path, lists=False)
  _, remarks = builder.read(SUBSET, tmp_path)
  assert remarks == ["split by a hash of the speaker, as there are no lists"]


def test_speech_subset_cannot_be_downloaded(tmp_path):
  prepared = builder.Speech(config=SUBSET.name, data_dir=tmp_path)
  with pytest.raises(FileNotFoundError, match="name a directory of clips with"):
    prepared.download_and_prepare()


@pytest.mark.parametrize("damaged", (False, True))
def test_speech_downloads(tmp_path, monkeypatch, damaged):
  """A whole archive is taken, and a damaged one removed."""
  (config,) = (
    c for c in builder.Speech.BUILDER_CONFIGS if c.name.endswith("1")
  )
  counts = {"train": 53, "validation": 3, "test": 4}
  monkeypatch.setattr(config, "clips", counts)
  write(tmp_path / "speech_commands_v0.01")
  publish(tmp_path / "speech_commands_v0.01")
  path = tmp_path / "download.tar.gz"
  with tarfile.open(path, "w:gz") as archive:
    archive.add(tmp_path / "speech_commands_v0.01", "./")
  if damaged:
    path.write_bytes(path.read_bytes()[:-40])
  asked = []
  monkeypatch.setattr(
    tfds.download.DownloadManager,
    "download",
    lambda _, url: asked.append(url) or path,
  )
  prepared = builder.Speech(config=config.name, data_dir=tmp_path / "data")
  if damaged:
    with pytest.raises(ValueError, match="v0.01.tar.gz is damaged or not the"):
      prepared.download_and_prepare()
    assert not path.exists()
  else:
    prepared.download_and_prepare()
    assert {
      k: v.num_examples for k, v in prepared.info.splits.items()
    } == counts
  assert asked == [
    "http://download.tensorflow.org/data/speech_commands_v0.01.tar.gz"
  ]


def test_speech_prepares_the_real_clips(raw_data):
  """The authors' lists, and all words of their first version."""
  path = next((raw_data / "speech_commands").glob("*sample30.tar.xz"))
  splits, remarks = builder.read(SUBSET, path)
  counts = {split: len(examples) for split, examples in splits.items()}
  assert counts == {"train": 205, "validation": 44, "test": 51}
  words = {x["label"] for examples in splits.values() for x in examples}
  assert words == set(spec.WORDS_1)
  assert len(remarks) == 1 and " of them padded, such as " in remarks[0]


def test_speech_is_prepared_without_tensorflow(tmp_path):
  write(tmp_path / "raw", speakers=10)
  code = (
    "import sys; from mixup_jax.data import prepare; "
    f"status = prepare.main(['{SUBSET.name}', '--raw', "
    f"{str(tmp_path / 'raw')!r}, '--data_dir', {str(tmp_path)!r}]); "
    "sys.exit(status or 'tensorflow' in sys.modules)"
  )
  done = subprocess.run(
    [sys.executable, "-c", code], capture_output=True, text=True, check=False
  )
  assert done.returncode == 0, done.stderr
  assert "13 train, 3 validation, 4 test clips, prepared in" in done.stdout
