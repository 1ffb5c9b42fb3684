"""Tests of the builder of the UCI tables."""

import functools
import http.server
import io
import subprocess
import sys
import threading
import zipfile

import numpy as np
import pytest
import sklearn.datasets
import tensorflow_datasets as tfds

from mixup_jax.data.in_memory import tables
from mixup_jax.data.sources.uci import builder
from mixup_jax.data.sources.uci import files
from mixup_jax.data.sources.uci import spec

CONFIGS = {config.name: config for config in spec.TABLES}
ABALONE = "".join(
  f"{sex},.1,.2,.3,.4,.5,.6,.{i},{i + 1}\n" for i, sex in enumerate("MFIM")
)
PHISHING = (
  "@relation phishing\n@attribute SFH {1,-1,0}\n"
  "@attribute Result {0,1,-1}\n\n@data\n1,-1,1,-1,-1,1,1,1,0,0\n"
  "-1,-1,-1,-1,-1,0,1,1,1,1\n1,-1,0,0,-1,0,-1,1,0,-1\n"
)
# Rows, columns, classes, and the error of always naming the largest class.
PUBLISHED = {
  "abalone": (4177, 8, 28, 83.5),
  "arcene": (200, 10_000, 2, 44.0),
  "arrhythmia": (452, 279, 13, 45.8),
  "htru2": (17_898, 8, 2, 9.2),
  "iris": (150, 4, 3, 66.7),
  "phishing_websites": (11_055, 30, 2, 44.3),
}


@pytest.fixture(autouse=True)
def quiet():
  tfds.disable_progress_bar()


@pytest.fixture
def raw(monkeypatch, tmp_path):
  """Returns a directory with a small Abalone that counts as published."""
  directory = tmp_path / "raw"
  directory.mkdir()
  (directory / "abalone.data").write_text(ABALONE)
  contents = files.read(
    directory / "abalone.data", columns=8, codes={"F": 0, "I": 1, "M": 2}
  )
  monkeypatch.setattr(CONFIGS["abalone"], "rows", (4,))
  monkeypatch.setattr(CONFIGS["abalone"], "sha256", files.checksum([contents]))
  return directory


@pytest.fixture
def serve(monkeypatch, tmp_path):
  """Returns a function that serves bytes in place of the UCI."""
  served = tmp_path / "served"
  served.mkdir()

  class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
      pass

  server = http.server.ThreadingHTTPServer(
    ("127.0.0.1", 0), functools.partial(Handler, directory=str(served))
  )
  thread = threading.Thread(target=server.serve_forever)
  thread.start()
  monkeypatch.setattr(
    builder, "_URL", f"http://127.0.0.1:{server.server_port}/"
  )

  def put(name, contents):
    (served / name).parent.mkdir(exist_ok=True)
    (served / name).write_bytes(contents)

  yield put
  server.shutdown()
  server.server_close()
  thread.join()


def _zip(name, text):
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, "w") as archive:
    archive.writestr(name, text)
  return buffer.getvalue()


def _prepare(name, raw_dir, data_dir):
  prepared = builder.Uci(config=name, raw_dir=raw_dir, data_dir=data_dir)
  prepared.download_and_prepare()
  return prepared


def test_uci_holds_what_the_raw_file_does(raw, tmp_path):
  prepared = _prepare("abalone", raw, tmp_path / "data")
  features = prepared.info.features
  assert features["features"].shape == (8,)
  assert features["features"].np_dtype == np.float32
  assert features["label"].num_classes == 28
  assert prepared.info.splits["train"].num_examples == 4
  source = prepared.as_data_source("train")
  sexes = [source[row]["features"][0] for row in range(4)]
  assert sexes == [2, 0, 1, 2]  # Of "F", "I", "M"; in the order of the file.
  names = [features["label"].names[source[row]["label"]] for row in range(4)]
  assert names == ["1", "2", "3", "4"]


def test_uci_is_prepared_without_tensorflow(raw, tmp_path):
  code = (
    "import sys; from mixup_jax.data.sources.uci import builder, spec; "
    "spec.TABLES[0].rows = (4,); spec.TABLES[0].sha256 = None; "
    f"builder.Uci(config='abalone', raw_dir={str(raw)!r}, "
    f"data_dir={str(tmp_path / 'data')!r}).download_and_prepare(); "
    "assert 'tensorflow' not in sys.modules"
  )
  subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_uci_website_phishing_needs_no_checksum(monkeypatch, tmp_path):
  assert CONFIGS["website_phishing"].sha256 is None
  assert "checksum" in CONFIGS["website_phishing"].description
  monkeypatch.setattr(CONFIGS["website_phishing"], "rows", (3,))
  (tmp_path / "PhishingData.arff").write_text(PHISHING)
  _prepare("website_phishing", tmp_path, tmp_path / "data")
  table = tables.load("website_phishing", str(tmp_path / "data"))
  assert table.features.shape == (3, 9)
  np.testing.assert_array_equal(table.labels, [1, 2, 0])
  np.testing.assert_array_equal(
    table.features[2], [1, -1, 0, 0, -1, 0, -1, 1, 0]
  )


def test_load_reads_a_prepared_table_once(monkeypatch, tmp_path):
  monkeypatch.setattr(CONFIGS["website_phishing"], "rows", (3,))
  (tmp_path / "PhishingData.arff").write_text(PHISHING)
  _prepare("website_phishing", tmp_path, tmp_path / "data")
  first = tables.load("website_phishing", str(tmp_path / "data"))
  assert tables.load("website_phishing", str(tmp_path / "data")) is first


@pytest.mark.parametrize(
  "text,message",
  (
    (ABALONE[:-10], "line 4: found 6 fields, expected 9"),
    (ABALONE.replace(".3", "x", 1), "line 1, column 4: 'x' is not a number"),
    (ABALONE.replace("I", "J"), "line 3, column 1: 'J' is not a number"),
    (ABALONE[: ABALONE.rindex("M")], "has 3 rows, expected 4"),
    (ABALONE + "M,1,1,1,1,1,1,1,1\n", "has 5 rows, expected 4"),
    (ABALONE.replace(",4\n", ",28\n"), r"unknown classes \['28'\]"),
    (ABALONE.replace(".5", ".7", 1), "wrong checksum .*, expected .*: fetch"),
  ),
  ids=(
    "cut_off",
    "no_number",
    "unknown_word",
    "row_missing",
    "row_too_many",
    "unknown_class",
    "other_value",
  ),
)
def test_uci_leaves_nothing_of_a_damaged_file(raw, tmp_path, text, message):
  (raw / "abalone.data").write_text(text)
  with pytest.raises(ValueError, match=message):
    _prepare("abalone", raw, tmp_path / "data")
  assert not list((tmp_path / "data" / "uci" / "abalone").iterdir())
  with pytest.raises(FileNotFoundError):
    tables.load("abalone", str(tmp_path / "data"))


def test_read_names_both_sums_in_a_checksum_error(raw, monkeypatch):
  expected = CONFIGS["abalone"].sha256
  monkeypatch.setattr(CONFIGS["abalone"], "sha256", "0" * 64)
  with pytest.raises(ValueError) as error:
    builder.read(CONFIGS["abalone"], raw)
  assert expected in str(error.value) and "0" * 64 in str(error.value)
  assert "https://archive.ics.uci.edu/static/public/1/abalone.zip" in str(
    error.value
  )


def test_read_names_a_missing_file_and_the_directory(tmp_path):
  with pytest.raises(FileNotFoundError) as error:
    builder.read(CONFIGS["arcene"], tmp_path)
  assert "'arcene_train.data'" in str(error.value)
  assert f"{tmp_path} or below" in str(error.value)


def test_uci_prepared_table_survives_damaged_raw_files(raw, tmp_path):
  before = _prepare("abalone", raw, tmp_path / "data")
  examples = list(before.as_data_source("train"))
  (raw / "abalone.data").write_text("damaged\n")
  after = _prepare("abalone", raw, tmp_path / "data")
  np.testing.assert_equal(list(after.as_data_source("train")), examples)


@pytest.mark.usefixtures("raw")
def test_uci_downloads(serve, tmp_path):
  serve("1/abalone.zip", _zip("Abalone/abalone.data", ABALONE))
  prepared = _prepare("abalone", None, tmp_path / "data")
  assert len(prepared.as_data_source("train")) == 4


@pytest.mark.usefixtures("raw")
@pytest.mark.parametrize(
  "archive",
  (
    b"<html>Come back later.</html>",
    _zip("abalone.data", ABALONE)[:-30],
    _zip("abalone.data", ABALONE[:-10]),
    _zip("other.data", ABALONE),
  ),
  ids=("no_archive", "archive_cut_off", "file_cut_off", "other_file"),
)
def test_uci_fetches_a_damaged_download_again(serve, tmp_path, archive):
  serve("1/abalone.zip", archive)
  with pytest.raises(ValueError, match="1/abalone.zip is damaged or not"):
    _prepare("abalone", None, tmp_path / "data")
  serve("1/abalone.zip", _zip("abalone.data", ABALONE))
  prepared = _prepare("abalone", None, tmp_path / "data")
  assert len(prepared.as_data_source("train")) == 4


def _parse(name, directory):
  """Parses a real raw file with numpy, apart from the code under test."""
  path = next(directory.rglob(CONFIGS[name].files["train"][0]))
  if name == "arcene":
    parts = [
      next(directory.rglob(f"arcene_{x}.data")) for x in ("train", "valid")
    ]
    labels = [np.loadtxt(x.with_suffix(".labels")) for x in parts]
    return np.vstack([np.loadtxt(x) for x in parts]), np.hstack(labels)
  text = path.read_text().lower().split("@data")[-1]
  for code, word in enumerate(
    ("iris-setosa", "iris-versicolor", "iris-virginica")
  ):
    text = text.replace(word, str(code))
  if name == "abalone":
    text = text.replace("f", "0").replace("i", "1").replace("m", "2")
  values = np.genfromtxt(io.StringIO(text), delimiter=",", missing_values="?")
  if name == "iris":
    values[34, :4], values[37, :4] = (4.9, 3.1, 1.5, 0.2), (4.9, 3.6, 1.4, 0.1)
  return values[:, :-1], values[:, -1]


@pytest.mark.parametrize("name", PUBLISHED)
def test_uci_real_table_is_the_published_one(raw_data, tmp_path, name):
  _prepare(name, raw_data, tmp_path)
  table = tables._load_prepared(name, str(tmp_path))
  rows, columns, classes, error = PUBLISHED[name]
  assert table.features.shape == (rows, columns)
  assert table.features.dtype == np.float32
  assert table.num_classes == classes
  counts = np.bincount(table.labels, minlength=classes)
  assert counts.shape == (classes,) and counts.all()
  assert round(100 * (1 - counts.max() / rows), 1) == error
  features, labels = _parse(name, raw_data)
  np.testing.assert_array_equal(table.features, features.astype(np.float32))
  # Ids are the ranks of the classes, which all of these files write as numbers.
  np.testing.assert_array_equal(
    table.labels, np.unique(labels, return_inverse=True)[1]
  )


def test_uci_real_arrhythmia_keeps_its_missing_values(raw_data):
  part = builder.read(CONFIGS["arrhythmia"], raw_data)["train"]
  assert np.isnan(part.features).sum() == 408


def test_uci_real_arcene_keeps_its_splits(raw_data):
  parts = builder.read(CONFIGS["arcene"], raw_data)
  sums = {name: part.features.sum() for name, part in parts.items()}
  assert sums == {"train": 70_726_744, "validation": 71_410_108}


def test_uci_real_iris_is_the_one_of_scikit_learn(raw_data, tmp_path):
  part = builder.read(CONFIGS["iris"], raw_data)["train"]
  iris = sklearn.datasets.load_iris()
  np.testing.assert_array_equal(part.features, iris.data)
  _prepare("iris", raw_data, tmp_path)
  prepared = tables._load_prepared("iris", str(tmp_path))
  np.testing.assert_equal(tuple(prepared), tuple(tables.load("iris")))
