"""Tests of the command that prepares data sets."""

import hashlib
import lzma
import os

import chex
import numpy as np
import pytest
import scipy.io

from mixup_jax.data import prepare
from mixup_jax.data.in_memory import images
from mixup_jax.data.in_memory import tables
from mixup_jax.data.sources.cifar import spec
from mixup_jax.data.sources.svhn import files
from mixup_jax.data.sources.uci import spec as uci_spec
from mixup_jax.data.streaming import batches
from mixup_jax.runtime import storage

CONFIGS = {config.name: config for config in uci_spec.TABLES}


@pytest.fixture
def raw(monkeypatch, tmp_path):
  """Returns a directory with two small tables, as if they were published."""
  directory = tmp_path / "raw"
  (directory / "abalone").mkdir(parents=True)
  row = ",".join(["M"] + ["1"] * 8)
  (directory / "abalone" / "abalone.data").write_text(f"{row}\n" * 3)
  (directory / "HTRU_2.csv").write_text(f"{','.join('123456780')}\n" * 2)
  for name, rows in ("abalone", 3), ("htru2", 2):
    monkeypatch.setattr(CONFIGS[name], "rows", (rows,))
    monkeypatch.setattr(CONFIGS[name], "sha256", None)
  return directory


def _run(capsys, *words):
  """Returns the exit status, and the lines on stdout and on stderr."""
  status = prepare.main([str(word) for word in words])
  out, err = capsys.readouterr()
  assert "Traceback" not in err
  return status, out.splitlines(), err.splitlines()


def test_main_prints_what_there_is_and_where(capsys, raw, tmp_path):
  data_dir = tmp_path / "data"
  words = "abalone", "htru2", "--raw", raw, "--data_dir", data_dir
  status, out, err = _run(capsys, *words)
  assert (status, err) == (0, [])
  assert out == [
    "abalone: 3 rows, 8 columns, 28 classes, prepared in "
    f"{data_dir}/uci/abalone/1.0.0",
    "htru2: 2 rows, 8 columns, 2 classes, prepared in "
    f"{data_dir}/uci/htru2/1.0.0",
  ]
  assert tables.load("abalone", str(data_dir)).features.shape == (3, 8)
  status, out, err = _run(capsys, *words)
  assert (status, err) == (0, [])
  assert all("was prepared before" in line for line in out)


def test_main_expands_the_home_directory_in_both_paths(
  capsys, raw, tmp_path, monkeypatch
):
  monkeypatch.setenv("HOME", str(tmp_path))
  status, out, _ = _run(
    capsys, "htru2", "--raw", "~/raw", "--data_dir", "~/data"
  )
  assert status == 0 and out[0].endswith(f"in {tmp_path}/data/uci/htru2/1.0.0")
  assert tables.load("htru2", "~/data").features.shape == (2, 8)


@pytest.mark.parametrize(
  "flag, address, reason",
  (
    ("--raw", "gs://bucket", "gs:// is not supported, only paths on a disk"),
    ("--data_dir", "s3://b", "s3:// is not supported, only gs:// and paths"),
  ),
)
def test_main_refuses_an_address(capsys, flag, address, reason):
  with pytest.raises(SystemExit):
    prepare.main(["htru2", flag, address])
  assert f"{flag}={address}: {reason}" in capsys.readouterr().err


def test_main_uploads_what_it_prepared_to_a_bucket(
  capsys, raw, tmp_path, bucket, monkeypatch
):
  last = []

  def upload(*paths, **options):
    last.append(options["last"])
    storage_upload(*paths, **options)

  storage_upload = storage.upload
  monkeypatch.setattr(storage, "upload", upload)
  words = "abalone", "--raw", raw, "--data_dir"
  for data_dir in (tmp_path / "data", bucket):
    status, [line], err = _run(capsys, *words, data_dir)
    assert (status, err) == (0, [])
    assert line.endswith(f", prepared in {data_dir}/uci/abalone/1.0.0")
  chex.assert_trees_all_equal(
    tables.load("abalone", bucket),
    tables.load("abalone", str(tmp_path / "data")),
  )
  assert last == ["dataset_info.json"]
  _, [line], _ = _run(capsys, *words, bucket)
  assert line.endswith(f"was prepared before in {bucket}/uci/abalone/1.0.0")


def test_main_prepares_anew_what_a_killed_upload_left(capsys, tmp_path, bucket):
  for name in "train/cat/1.jpg", "val/cat/2.jpg":
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).write_bytes(b"\xff\xd8\xff")
  words = "image_folder/pets", "--raw", tmp_path, "--data_dir", bucket
  place = f"{bucket}/image_folder/pets/1.0.0"
  for word in ("prepared", "was prepared before", "prepared"):
    status, [line], err = _run(capsys, *words)
    assert (status, err) == (0, [])
    assert line.endswith(f" 1 classes, {word} in {place}")
    if word != "prepared":  # What is uploaded last.
      (storage.path(place, "place") / "dataset_info.json").unlink()
  found = batches.load("image_folder/pets", bucket)
  assert found.train[0]["image"] == b"\xff\xd8\xff"


def test_main_prepares_cifar_from_packed_files(capsys, tmp_path, monkeypatch):
  """Ten images a file, one of each class."""
  raw, data_dir = tmp_path / "raw", tmp_path / "data"
  raw.mkdir()
  data = b"".join(bytes([label]) + bytes(3072) for label in range(10))
  config = spec.SETS[0]
  sums = {
    split: dict.fromkeys(names, hashlib.sha1(data).hexdigest())
    for split, names in config.files.items()
  }
  monkeypatch.setattr(config, "files", sums)
  monkeypatch.setattr(config, "rows", {"train": 10, "test": 10})
  for name in (*sums["train"], *sums["test"]):
    (raw / f"{name}.xz").write_bytes(lzma.compress(data))
  words = "cifar10", "--raw", raw, "--data_dir", data_dir
  what = "cifar10: 50 images to train and 10 to test, 10 classes,"
  where = f"in {data_dir}/cifar/cifar10/1.0.0"
  assert _run(capsys, *words) == (0, [f"{what} prepared {where}"], [])
  assert _run(capsys, *words)[1] == [f"{what} was prepared before {where}"]
  assert images.load("cifar10", str(data_dir)).train_images.shape[0] == 50


def test_main_prepares_svhn_from_its_files(capsys, tmp_path, monkeypatch):
  raw, data_dir = tmp_path / "raw", tmp_path / "data"
  raw.mkdir()
  for rows, (split, (name, _)) in enumerate(files.FILES.items(), start=3):
    path = raw / name
    pixels = np.zeros((32, 32, 3, rows), np.uint8)
    scipy.io.savemat(path, {"X": pixels, "y": np.full((rows, 1), 10)})
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setitem(files.FILES, split, (name, sha256))
  words = "svhn", "--raw", raw, "--data_dir", data_dir
  what = "svhn: 3 images to train and 4 to test, 10 classes,"
  where = f"in {data_dir}/svhn/1.0.0"
  assert _run(capsys, *words) == (0, [f"{what} prepared {where}"], [])
  assert _run(capsys, *words)[1] == [f"{what} was prepared before {where}"]
  loaded = images.load("svhn", str(data_dir))
  assert loaded.train_images.shape == (3, 32, 32, 3) and not loaded.flip
  np.testing.assert_array_equal(loaded.test_labels, np.zeros(4))


def test_main_prepares_a_folder_of_images_that_the_user_names(capsys, tmp_path):
  raw, data_dir = tmp_path / "raw", tmp_path / "data"
  for name in "train/cat/1.jpg", "train/dog/2.jpg", "val/dog/3.jpg":
    path = raw / "pets" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff\xd8\xff")  # Nobody looks into it yet.
  words = "image_folder/pets", "--raw", raw, "--data_dir", data_dir
  what = "image_folder/pets: 2 images to train and 1 to validate, 2 classes,"
  where = f"in {data_dir}/image_folder/pets/1.0.0"
  assert _run(capsys, *words) == (0, [f"{what} prepared {where}"], [])
  expected = 0, [f"{what} was prepared before {where}"], []
  assert _run(capsys, *words) == expected
  assert _run(capsys, words[0], "--data_dir", data_dir) == expected
  assert batches.load("image_folder/pets", str(data_dir)).num_classes == 2


def test_main_does_not_download_a_folder(capsys, tmp_path):
  status, _, err = _run(capsys, "tiny_imagenet", "--data_dir", tmp_path)
  assert status == 2
  assert err[0].startswith("not found: tiny_imagenet: it is not downloaded")
  assert "--raw" in err[0]


@pytest.mark.slow
def test_main_prepares_the_real_tiny_imagenet(capsys, raw_data, tmp_path):
  """Every image of the part at hand, decoded."""
  words = "--raw", raw_data / "tiny-imagenet", "--data_dir", tmp_path
  status, out, err = _run(capsys, "tiny_imagenet", *words)
  assert (status, err) == (0, [])
  assert out[0].startswith(
    "tiny_imagenet: 10000 images to train and 1000 to "
    "validate, 20 classes, prepared in"
  )
  tiny = batches.load("tiny_imagenet", str(tmp_path))
  found = list(batches.eval_batches(tiny, batch_size=100, image_size=64))
  labels = np.concatenate([batch["labels"] for batch in found])
  np.testing.assert_array_equal(np.bincount(labels), np.full(20, 50))
  assert all(batch["where"].all() for batch in found)
  images = np.concatenate([batch["images"] for batch in found])
  grey = (images.min(-1) == images.max(-1)).all((1, 2))
  assert 0 < grey.sum() < 100
  means = images.mean((0, 1, 2)) / 255
  np.testing.assert_allclose(means, tiny.mean, atol=0.06)


def test_main_uses_the_directory_of_tfds_by_default(
  capsys, raw, tmp_path, monkeypatch
):
  seen = []
  monkeypatch.setitem(prepare.SETS, "abalone", lambda *a: seen.append(a) or "")
  assert _run(capsys, "abalone", "--raw", raw)[0] == 0
  assert seen == [(str(raw), None)]


def test_main_continues_after_a_set_that_fails(capsys, raw, tmp_path):
  (raw / "abalone" / "abalone.data").write_text("M,1\n")
  status, out, err = _run(
    capsys, "abalone", "htru2", "--raw", raw, "--data_dir", tmp_path / "data"
  )
  assert status == 2
  assert [line.split(":")[0] for line in out] == ["htru2"]
  assert len(err) == 2
  assert "line 1: found 2 fields, expected 9" in err[0]
  assert err[1] == "error: not prepared: abalone"


def test_main_all_names_the_sets_whose_files_are_not_found(
  capsys, raw, tmp_path
):
  status, out, err = _run(
    capsys, "all", "--raw", raw, "--data_dir", tmp_path / "data"
  )
  assert status == 2
  missing = [n for n in prepare.SETS if n not in ("abalone", "htru2")]
  assert {"cifar10", "speech_commands_v0.01", "tiny_imagenet"} < set(missing)
  assert [line.split(":")[0] for line in out] == ["abalone", "htru2"]
  assert err[-1] == f"error: not prepared: {', '.join(missing)}"
  assert len(err) == len(missing) + 1
  for line, name in zip(err, missing):
    assert line.startswith(f"not found: {name}: there ")


def test_main_prints_one_line_for_an_unexpected_failure(capsys, monkeypatch):

  def fail(*_):
    raise KeyError("surprise")

  monkeypatch.setitem(prepare.SETS, "abalone", fail)
  status, _, err = _run(capsys, "abalone")
  assert status == 2
  assert err == ["error: abalone: 'surprise'", "error: not prepared: abalone"]


def test_main_refuses_a_data_dir_that_is_a_file(capsys, raw, tmp_path):
  (tmp_path / "data").write_text("")
  status, _, err = _run(
    capsys, "abalone", "--raw", raw, "--data_dir", tmp_path / "data"
  )
  assert status == 2
  assert f"cannot write to {tmp_path}/data" in err[0]
  assert "--data_dir" in err[0]


def test_main_refuses_a_read_only_data_dir(capsys, raw, tmp_path):
  data_dir = tmp_path / "data"
  data_dir.mkdir(mode=0o500)
  if os.access(data_dir, os.W_OK):
    pytest.skip("this user may write to read-only directories")
  status, _, err = _run(capsys, "abalone", "--raw", raw, "--data_dir", data_dir)
  assert status == 2
  assert "cannot write to" in err[0] and "--data_dir" in err[0]


def test_main_needs_no_writable_directory_for_a_prepared_set(
  capsys, raw, tmp_path, monkeypatch
):
  words = "htru2", "--raw", raw, "--data_dir", tmp_path / "data"
  assert _run(capsys, *words)[0] == 0

  def refuse(_):
    raise OSError("read-only")

  monkeypatch.setattr(prepare, "_check_writable", refuse)
  assert _run(capsys, *words)[0] == 0


@pytest.mark.parametrize("name", ("abalon", "image_folder", "image_folder/a/b"))
def test_main_lists_the_choices_for_an_unknown_name(capsys, name):
  with pytest.raises(SystemExit) as stop:
    prepare.main([name])
  assert stop.value.code == 2
  err = capsys.readouterr().err
  assert all(name in err for name in ("all", *prepare.SETS))


def test_main_help_lists_the_names(capsys):
  with pytest.raises(SystemExit) as stop:
    prepare.main(["--help"])
  assert stop.value.code == 0
  out = capsys.readouterr().out
  assert all(name in out for name in prepare.SETS)
