"""Tests of the builder of CIFAR-10 and CIFAR-100."""

import hashlib
import io
import lzma
import subprocess
import sys
import tarfile

import numpy as np
import pytest
import tensorflow_datasets as tfds

from mixup_jax.data.in_memory import images
from mixup_jax.data.sources.cifar import builder
from mixup_jax.data.sources.cifar import spec

CONFIGS = {config.name: config for config in spec.SETS}


@pytest.fixture(autouse=True)
def quiet():
  tfds.disable_progress_bar()


@pytest.fixture
def fakes(monkeypatch):
  """Returns a function that makes a small set count as published.

  It gives the files of the set by name, each with `rows` images.
  """

  def make(name, rows, seed=0):
    rng = np.random.default_rng(seed)
    config = CONFIGS[name]
    files = {}
    for split, names in config.files.items():
      for file in names:
        labels = [np.arange(rows) % len(x) for x in config.labels.values()]
        pixels = rng.integers(0, 256, (rows, 3072))
        records = np.column_stack([*labels, pixels]).astype(np.uint8)
        files[file] = rng.permutation(records).tobytes()
    publish(name, files)
    monkeypatch.setattr(config, "rows", dict.fromkeys(config.files, rows))
    return files

  def publish(name, files):
    sums = {
      split: {file: hashlib.sha1(files[file]).hexdigest() for file in names}
      for split, names in CONFIGS[name].files.items()
    }
    monkeypatch.setattr(CONFIGS[name], "files", sums)

  make.publish = publish
  return make


def _write(directory, files):
  directory.mkdir(parents=True, exist_ok=True)
  for name, data in files.items():
    (directory / name).write_bytes(data)
  return directory


def _prepare(name, raw_dir, data_dir):
  prepared = builder.Cifar(config=name, raw_dir=raw_dir, data_dir=data_dir)
  prepared.download_and_prepare()
  return prepared


def _tar(files):
  buffer = io.BytesIO()
  with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
    for name, data in files.items():
      member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
      member.size = len(data)
      archive.addfile(member, io.BytesIO(data))
  return buffer.getvalue()


def test_cifar_holds_what_raw_files_do(fakes, tmp_path):
  files = fakes("cifar10", 10)
  prepared = _prepare(
    "cifar10", _write(tmp_path / "raw", files), tmp_path / "data"
  )
  features = prepared.info.features
  assert features["image"].shape == (32, 32, 3)
  assert features["image"].np_dtype == np.uint8
  assert features["label"].names == list(spec.CIFAR10)
  sources = {x: prepared.as_data_source(x) for x in ("train", "test")}
  assert {x: len(y) for x, y in sources.items()} == {"train": 50, "test": 10}
  train = b"".join(files[f"data_batch_{i}.bin"] for i in range(1, 6))
  for split, data in ("train", train), ("test", files["test_batch.bin"]):
    records = np.frombuffer(data, np.uint8).reshape(-1, 3073)
    for record, example in zip(records, sources[split]):  # In their order.
      assert example["label"] == record[0]
      planes = record[1:].reshape(3, 32, 32)
      np.testing.assert_array_equal(example["image"], np.moveaxis(planes, 0, 2))


def test_cifar_100_keeps_both_labels(fakes, tmp_path):
  files = fakes("cifar100", 100)
  prepared = _prepare(
    "cifar100", _write(tmp_path / "raw", files), tmp_path / "data"
  )
  features = prepared.info.features
  assert features["label"].names == list(spec.CIFAR100)
  assert features["coarse_label"].names == list(spec.CIFAR100_COARSE)
  records = np.frombuffer(files["test.bin"], np.uint8).reshape(100, 3074)
  examples = list(prepared.as_data_source("test"))
  coarse, fine = records[:, 0], records[:, 1]
  assert [example["coarse_label"] for example in examples] == coarse.tolist()
  assert [example["label"] for example in examples] == fine.tolist()


def test_cifar_is_prepared_without_tensorflow(fakes, tmp_path):
  raw = _write(tmp_path / "raw", fakes("cifar10", 10))
  code = (
    "import sys; from mixup_jax.data.sources.cifar import builder, spec; "
    f"spec.SETS[0].rows = {CONFIGS['cifar10'].rows}; "
    f"spec.SETS[0].files = {CONFIGS['cifar10'].files}; "
    f"builder.Cifar(config='cifar10', raw_dir={str(raw)!r}, "
    f"data_dir={str(tmp_path / 'data')!r}).download_and_prepare(); "
    "assert 'tensorflow' not in sys.modules"
  )
  subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
  "damage,message",
  (
    (lambda data: data[:-1], "has 30729 bytes, expected 30730"),
    (lambda data: b"\x0a" + data[1:], "the label 10 is not below 10"),
    (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "the wrong SHA-1"),
  ),
  ids=("cut_off", "label", "bit"),
)
def test_cifar_leaves_nothing_of_a_damaged_file(
  fakes, tmp_path, damage, message
):
  files = fakes("cifar10", 10)
  files["test_batch.bin"] = damage(files["test_batch.bin"])
  raw = _write(tmp_path / "raw", files)
  with pytest.raises(ValueError, match=message) as error:
    _prepare("cifar10", raw, tmp_path / "data")
  assert str(raw / "test_batch.bin") in str(error.value)
  assert not list((tmp_path / "data" / "cifar" / "cifar10").iterdir())


def test_read_refuses_uneven_classes(fakes, tmp_path):
  files = fakes("cifar10", 10)
  data = bytearray(files["data_batch_3.bin"])
  data[::3073] = bytes([0, 0] + list(range(2, 10)))
  files["data_batch_3.bin"] = bytes(data)
  fakes.publish("cifar10", files)
  with pytest.raises(
    ValueError,
    match="the train files of cifar10 hold 6 "
    "images of the class airplane, expected 5: fetch",
  ) as e:
    _prepare("cifar10", _write(tmp_path / "raw", files), tmp_path / "data")
  assert "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz" in str(
    e.value
  )


@pytest.fixture
def download(monkeypatch, tmp_path):
  """Returns the file that a download gives, and the addresses asked for."""
  path, asked = tmp_path / "downloads" / "kriz_cifar.tar.gz", []

  def fetch(_, url):
    asked.append(url)
    return path

  monkeypatch.setattr(tfds.download.DownloadManager, "download", fetch)
  path.parent.mkdir()
  return path, asked


def test_cifar_downloads(fakes, tmp_path, download):
  path, asked = download
  path.write_bytes(_tar(fakes("cifar10", 10)))
  prepared = _prepare("cifar10", None, tmp_path / "data")
  assert len(prepared.as_data_source("train")) == 50
  assert asked == ["https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"]


@pytest.mark.parametrize("damage", ("archive", "file"))
def test_cifar_removes_a_damaged_download(fakes, tmp_path, download, damage):
  path, _ = download
  files = fakes("cifar10", 10)
  if damage == "file":
    files["data_batch_2.bin"] = files["data_batch_1.bin"]
  data = _tar(files)
  path.write_bytes(data[:-40] if damage == "archive" else data)
  info = path.with_name(f"{path.name}.INFO")
  info.write_text("{}")
  with pytest.raises(ValueError, match="cifar-10-binary.tar.gz is damaged or"):
    _prepare("cifar10", None, tmp_path / "data")
  assert not path.exists() and not info.exists()


@pytest.mark.slow
def test_cifar_10_real_files_are_the_published_ones(raw_data, tmp_path):
  _prepare("cifar10", raw_data, tmp_path)
  real = images.load("cifar10", str(tmp_path))
  for split, count, part in (
    ("train", 5000, real[1:3]),
    ("test", 1000, real[3:5]),
  ):
    pixels, labels = part
    assert pixels.shape == (10 * count, 32, 32, 3), split
    np.testing.assert_array_equal(np.bincount(labels), [count] * 10)
  # The statistics of the training pixels that everybody knows.
  pixels = real.train_images.reshape(-1, 3)
  np.testing.assert_allclose(
    pixels.mean(0) / 255, (0.4914, 0.4822, 0.4465), 2e-4
  )
  np.testing.assert_allclose(
    pixels.std(0) / 255, (0.2470, 0.2435, 0.2616), 2e-4
  )
  path = next(raw_data.rglob("data_batch_5.bin.xz"))
  last = np.frombuffer(lzma.open(path).read()[-3073:], np.uint8)
  assert real.train_labels[-1] == last[0]
  np.testing.assert_array_equal(
    real.train_images[-1], np.moveaxis(last[1:].reshape(3, 32, 32), 0, 2)
  )
