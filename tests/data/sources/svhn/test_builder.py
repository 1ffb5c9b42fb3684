"""Tests of the builder of SVHN, on generated files and, if there, real ones."""

import hashlib
import io
import subprocess
import sys

import numpy as np
import pytest
import scipy.io
import tensorflow_datasets as tfds

from mixup_jax.data.in_memory import images
from mixup_jax.data.sources.svhn import builder
from mixup_jax.data.sources.svhn import files

ROWS = {"train": 20, "test": 10}


@pytest.fixture(autouse=True)
def quiet():
  tfds.disable_progress_bar()


@pytest.fixture
def raw(monkeypatch, tmp_path):
  """Returns a directory with small files that count as the published ones."""
  directory = tmp_path / "raw"
  directory.mkdir()
  rng = np.random.default_rng(0)
  for split, (name, _) in files.FILES.items():
    pixels = rng.integers(0, 256, (32, 32, 3, ROWS[split]), np.uint8)
    labels = np.arange(ROWS[split], dtype=np.uint8)[:, None] % 10 + 1
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, {"X": pixels, "y": labels}, do_compression=True)
    (directory / name).write_bytes(buffer.getvalue())
    sha256 = hashlib.sha256(buffer.getvalue()).hexdigest()
    monkeypatch.setitem(files.FILES, split, (name, sha256))
  return directory


@pytest.fixture
def download(monkeypatch, raw, tmp_path):
  """Returns where downloads of the small files lie, and the addresses asked."""
  folder, asked = tmp_path / "downloads", []
  folder.mkdir()

  def fetch(_, url):
    asked.append(url)
    name = url.removeprefix(files.URL)
    path = folder / f"ufldl_{name}"
    if not path.exists():
      path.write_bytes((raw / name).read_bytes())
    return path

  monkeypatch.setattr(tfds.download.DownloadManager, "download", fetch)
  return folder, asked


def prepare(raw_dir, data_dir):
  prepared = builder.Svhn(raw_dir=raw_dir, data_dir=data_dir)
  prepared.download_and_prepare()
  return prepared


def check(prepared, raw):
  """Asserts that a prepared set holds what the small files do, in order."""
  features = prepared.info.features
  assert features["image"].shape == (32, 32, 3)
  assert features["label"].names == list("0123456789")
  for split, (name, _) in files.FILES.items():
    contents = scipy.io.loadmat(raw / name)
    examples = list(prepared.as_data_source(split))
    assert len(examples) == ROWS[split]
    for row, example in enumerate(examples):
      np.testing.assert_array_equal(example["image"], contents["X"][..., row])
      assert example["label"] == contents["y"][row, 0] % 10


def test_svhn_holds_what_raw_files_do(raw, tmp_path):
  check(prepare(raw, tmp_path / "data"), raw)


def test_svhn_downloads(raw, download, tmp_path):
  check(prepare(None, tmp_path / "data"), raw)
  assert download[1] == [
    f"http://ufldl.stanford.edu/housenumbers/{split}_32x32.mat"
    for split in ("train", "test")
  ]


def test_svhn_removes_a_damaged_download(download, tmp_path):
  path = download[0] / "ufldl_test_32x32.mat"
  path.write_bytes(b"<html>Come back later.</html>")
  info = path.with_name(f"{path.name}.INFO")
  info.write_text("{}")
  with pytest.raises(ValueError, match="the wrong SHA-256"):
    prepare(None, tmp_path / "data")
  assert not path.exists() and not info.exists()
  assert (download[0] / "ufldl_train_32x32.mat").exists()


def test_svhn_leaves_nothing_of_a_damaged_file(raw, tmp_path):
  path = raw / "test_32x32.mat"
  path.write_bytes(path.read_bytes()[:-1])
  with pytest.raises(ValueError, match="the wrong SHA-256"):
    prepare(raw, tmp_path / "data")
  assert path.exists()
  assert not list((tmp_path / "data" / "svhn").iterdir())


def test_svhn_is_prepared_without_tensorflow(raw, tmp_path):
  code = (
    "import sys; from mixup_jax.data.sources.svhn import builder, files; "
    f"files.FILES.update({files.FILES}); "
    f"builder.Svhn(raw_dir={str(raw)!r}, data_dir={str(tmp_path / 'data')!r})"
    ".download_and_prepare(); assert 'tensorflow' not in sys.modules"
  )
  subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.slow
def test_svhn_real_files_have_the_published_counts(raw_data, tmp_path):
  if not list(raw_data.rglob("train_32x32.mat")):
    pytest.skip("MIXUP_JAX_RAW_DATA has no train_32x32.mat")
  prepare(raw_data, tmp_path)
  real, outline = images.load("svhn", str(tmp_path)), images.outline("svhn")
  assert real.train_images.shape == outline.train_images.shape
  assert real.test_images.shape == outline.test_images.shape
  pixels = real.train_images.reshape(-1, 3) / 255
  np.testing.assert_allclose(pixels.mean(0), outline.mean, atol=1e-3)
  np.testing.assert_allclose(pixels.std(0), outline.std, atol=1e-3)
