"""Tests of loading sets of images."""

import json
import subprocess
import sys

import chex
import numpy as np
import PIL.Image
import pytest
import sklearn.datasets
import tensorflow_datasets as tfds

from mixup_jax.data.in_memory import images

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), np.uint8)
LABELS = np.arange(12) * 7 % 10


def _prepare(data_dir, features, examples, **names):
  """Prepares 8 images to train and 4 to test, as a builder of that name."""
  with tfds.core.registered.skip_registration():

    class Builder(tfds.core.GeneratorBasedBuilder):
      """A small set with the name and version of a real one."""

      name = names["name"]
      VERSION = tfds.core.Version(names["version"])
      BUILDER_CONFIGS = names.get("configs", [])

      def _info(self):
        return tfds.core.DatasetInfo(
          builder=self, features=tfds.features.FeaturesDict(features)
        )

      def _split_generators(self, _):
        rows = list(enumerate(examples))
        return {"train": iter(rows[:8]), "test": iter(rows[8:])}

      def _generate_examples(self):
        raise NotImplementedError

  tfds.disable_progress_bar()
  builder = Builder(data_dir=data_dir, file_format="array_record")
  builder.download_and_prepare()
  return builder


@pytest.fixture
def official(tmp_path):
  """Returns a data directory with small sets like those of TFDS."""
  features = {
    "id": tfds.features.Text(),
    "image": tfds.features.Image(shape=(32, 32, 3)),
    "label": tfds.features.ClassLabel(num_classes=10),
  }
  examples = [
    {"id": f"train_{row}", "image": PIL.Image.fromarray(pixels), "label": label}
    for row, (pixels, label) in enumerate(zip(PIXELS, LABELS))
  ]
  _prepare(tmp_path, features, examples, name="cifar10", version="3.0.2")
  del features["id"]
  for example in examples:
    del example["id"]
  _prepare(tmp_path, features, examples, name="svhn_cropped", version="3.1.0")
  return tmp_path


@pytest.fixture
def own(tmp_path):
  """Returns a data directory with a small CIFAR-10 like that of our builder."""
  features = {
    "image": tfds.features.Tensor(
      shape=(32, 32, 3), dtype=np.uint8, encoding=tfds.features.Encoding.BYTES
    ),
    "label": tfds.features.ClassLabel(num_classes=10),
  }
  examples = [
    {"image": 255 - pixels, "label": label}
    for pixels, label in zip(PIXELS, LABELS)
  ]
  _prepare(
    tmp_path,
    features,
    examples,
    name="cifar",
    version="1.0.0",
    configs=[tfds.core.BuilderConfig(name="cifar10")],
  )
  return tmp_path


def _rows(pixels, found):
  """Returns which images those found are."""
  same = (found[:, None] == pixels[None]).all((2, 3, 4))
  assert (same.sum(1) == 1).all()
  return same.argmax(1)


def _check_cifar(loaded, pixels):
  assert (loaded.name, loaded.num_classes) == ("cifar10", 10)
  assert (loaded.pad, loaded.flip) == (4, True)
  assert loaded.mean == (0.4914, 0.4822, 0.4465)
  assert loaded.std == (0.2023, 0.1994, 0.2010)
  chex.assert_shape(loaded.train_images, (8, 32, 32, 3))
  chex.assert_shape(loaded.test_images, (4, 32, 32, 3))
  train = _rows(pixels, loaded.train_images)
  test = _rows(pixels, loaded.test_images)
  assert set(train) == set(range(8)) and set(test) == set(range(8, 12))
  np.testing.assert_array_equal(loaded.train_labels, LABELS[train])
  np.testing.assert_array_equal(loaded.test_labels, LABELS[test])
  assert loaded.train_images.dtype == loaded.test_images.dtype == np.uint8
  assert loaded.train_labels.dtype == loaded.test_labels.dtype == np.int32


def test_load_takes_the_official_set_if_it_is_there(official):
  _check_cifar(images.load("cifar10", str(official)), PIXELS)


def test_load_svhn_does_not_flip_digits(official):
  loaded = images.load("svhn", str(official))
  assert (loaded.name, loaded.num_classes) == ("svhn", 10)
  assert (loaded.pad, loaded.flip) == (4, False)
  test = _rows(PIXELS, loaded.test_images)
  assert set(test) == set(range(8, 12))
  np.testing.assert_array_equal(loaded.test_labels, LABELS[test])


@pytest.mark.usefixtures("official")
def test_load_takes_our_own_set_first(own):
  _check_cifar(images.load("cifar10", str(own)), 255 - PIXELS)


def test_load_refuses_an_official_set_without_random_access(official):
  path = official / "cifar10" / "3.0.2" / "dataset_info.json"
  info = json.loads(path.read_text())
  info["fileFormat"] = "tfrecord"
  path.write_text(json.dumps(info))
  with pytest.raises(FileNotFoundError, match="nor as array_record in"):
    images.load("cifar10", str(official))


@pytest.mark.parametrize(
  "name, folder",
  [
    ("cifar10", "cifar/cifar10"),
    ("cifar100", "cifar/cifar100"),
    ("svhn", "svhn"),
  ],
)
def test_load_names_the_commands_that_prepare_a_set(tmp_path, name, folder):
  with pytest.raises(FileNotFoundError) as error:
    images.load(name, str(tmp_path / "data"))
  command = f"python -m mixup_jax.data.prepare {name}"
  assert f"{command}\n" in str(error.value)
  assert f"{command} --raw DIR" in str(error.value)
  assert str(tmp_path / "data" / folder) in str(error.value)
  assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
  "name, classes, train, test",
  [
    ("cifar10", 10, 50_000, 10_000),
    ("cifar100", 100, 50_000, 10_000),
    ("svhn", 10, 73_257, 26_032),
  ],
)
def test_outline_needs_no_data(name, classes, train, test):
  outline = images.outline(name)
  assert outline.num_classes == classes and outline.pad == 4
  assert outline.flip == (name != "svhn")
  chex.assert_shape(
    (outline.train_images, outline.test_images),
    [(train, 32, 32, 3), (test, 32, 32, 3)],
  )
  chex.assert_type(
    [outline.train_images, outline.train_labels], [np.uint8, np.int32]
  )
  assert outline.train_images.base.nbytes == 1  # It takes no memory.
  assert len(images.outline("digits").train_labels) == 1437
  with pytest.raises(ValueError, match="unknown image set 'cifar1'"):
    images.outline("cifar1")


def test_load_refuses_an_unknown_set_with_a_hint():
  with pytest.raises(ValueError, match="Did you mean 'cifar10'") as error:
    images.load("cifar-10")
  assert "digits, cifar10, cifar100, svhn" in str(error.value)
  with pytest.raises(ValueError, match="Known are digits"):
    images.load("imagenet2012")


def test_load_digits_needs_neither_a_download_nor_tfds():
  code = (
    "import sys; from mixup_jax.data.in_memory import images; "
    "images.load('digits'); "
    "assert 'tensorflow_datasets' not in sys.modules"
  )
  subprocess.run([sys.executable, "-c", code], check=True)


def test_load_digits_returns_those_of_scikit_learn():
  digits = images.load("digits")
  chex.assert_shape(digits.train_images, (1437, 8, 8, 1))
  chex.assert_shape(digits.test_images, (360, 8, 8, 1))
  assert digits.train_images.dtype == np.uint8
  assert digits.train_labels.dtype == digits.test_labels.dtype == np.int32
  assert (digits.num_classes, digits.pad, digits.flip) == (10, 1, False)
  pixels = np.concatenate([digits.train_images, digits.test_images])
  labels = np.concatenate([digits.train_labels, digits.test_labels])
  assert pixels.min() == 0 and pixels.max() == 255
  source = sklearn.datasets.load_digits()

  def rows(x, y):
    return sorted(map(tuple, np.column_stack([x.reshape(1797, -1), y])))

  found = rows(np.rint(pixels / 255 * 16), labels)
  assert found == rows(source.images, source.target)


def test_load_digits_splits_evenly_and_always_alike():
  first, second = images.load("digits"), images.load("digits")
  chex.assert_trees_all_equal(first[1:5], second[1:5])
  train, test = (
    np.bincount(x) for x in (first.train_labels, first.test_labels)
  )
  assert np.abs(train - 0.8 * (train + test)).max() < 1
  assert np.abs(np.diff(first.train_labels)).min() == 0
  assert (first.train_labels[:100] != np.sort(first.train_labels)[:100]).any()


def test_load_digits_is_normalized_by_its_own_statistics():
  digits = images.load("digits")
  pixels = digits.train_images / 255
  np.testing.assert_allclose(digits.mean, pixels.mean(), atol=1e-4)
  np.testing.assert_allclose(digits.std, pixels.std(), atol=1e-4)
