"""Sets of small images, whole in memory."""

import difflib
from typing import Any, Callable, NamedTuple

import numpy as np

from mixup_jax.data import catalogue
from mixup_jax.data import splits
from mixup_jax.data.in_memory import bundled
from mixup_jax.runtime import storage


class ImageSet(NamedTuple):
  """Images with a class for each, on the host, and how to treat them.

  Attributes:
    name: Its name.
    train_images: `[train, height, width, channels]` uint8.
    train_labels: `[train]` int32 class ids.
    test_images: `[test, height, width, channels]` uint8.
    test_labels: `[test]` int32 class ids.
    num_classes: The number of classes.
    mean: For each channel what normalization subtracts, of pixels in [0, 1].
    std: For each channel what it divides by.
    pad: The zeros around an image that random crops may show.
    flip: Whether the mirror image of an example is one too.
  """

  name: str
  train_images: np.ndarray
  train_labels: np.ndarray
  test_images: np.ndarray
  test_labels: np.ndarray
  num_classes: int
  mean: tuple[float, ...]
  std: tuple[float, ...]
  pad: int
  flip: bool


class Prepared(NamedTuple):
  """What is known of a set that `mixup_jax.data.prepare` prepares.

  Attributes:
    make_builder: Makes its TFDS builder from the name of the set, `raw_dir` and
      `data_dir`.
    catalogue: Its name in the catalogue of TFDS.
    num_train: The number of training images, of 32 x 32 pixels in color.
    num_test: The number of test images.
    num_classes: The number of classes.
    constants: The fields of `ImageSet` from `mean` on.
  """

  make_builder: Callable[..., Any]
  catalogue: str
  num_train: int
  num_test: int
  num_classes: int
  constants: dict[str, Any]


# Builders are imported only now: the imports take a second.
def _cifar(name: str, **directories: str | None) -> Any:
  from mixup_jax.data.sources.cifar import builder

  return builder.Cifar(config=name, **directories)


def _svhn(_: str, **directories: str | None) -> Any:
  from mixup_jax.data.sources.svhn import builder

  return builder.Svhn(**directories)


# What the code of the paper's authors uses for both. The deviation is not that
# of the pixels, which is (.2470, .2435, .2616) in CIFAR-10.
_CIFAR: dict[str, Any] = {
  "mean": (0.4914, 0.4822, 0.4465),
  "std": (0.2023, 0.1994, 0.2010),
  "pad": 4,
  "flip": True,
}
# Digits are not mirror symmetric. The padding is that of CIFAR to scale.
_DIGITS: dict[str, Any] = {
  "mean": (0.3050,),
  "std": (0.3759,),
  "pad": 1,
  "flip": False,
}
# The statistics of the training pixels in general use; a test computes them
# where the files are at hand.
_SVHN: dict[str, Any] = {
  "mean": (0.4377, 0.4438, 0.4728),
  "std": (0.1980, 0.2010, 0.1970),
  "pad": 4,
  "flip": False,
}
PREPARED = {
  "cifar10": Prepared(_cifar, "cifar10", 50_000, 10_000, 10, _CIFAR),
  "cifar100": Prepared(_cifar, "cifar100", 50_000, 10_000, 100, _CIFAR),
  "svhn": Prepared(_svhn, "svhn_cropped", 73_257, 26_032, 10, _SVHN),
}
IMAGE_SETS = ("digits", *PREPARED)


def load(name: str, data_dir: str | None = None) -> ImageSet:
  """Loads a set: digits from scikit-learn, others as they were prepared.

  Args:
    name: One of `IMAGE_SETS`.
    data_dir: Where prepared sets are; None is the default of TFDS.

  Returns:
    The set, in the order of its files if `mixup_jax.data.prepare` has prepared
    it; else it is that of the TFDS catalogue, in the order in which TFDS has
    shuffled it.

  Raises:
    ValueError: If there is no such set.
    FileNotFoundError: If it has not been prepared; the message names the
      command that does it.
  """
  if name not in IMAGE_SETS:
    close = difflib.get_close_matches(name, IMAGE_SETS, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(
      f"unknown image set {name!r}.{hint} Known are {', '.join(IMAGE_SETS)}."
    )
  return _digits() if name == "digits" else _load_prepared(name, data_dir)


def outline(name: str) -> ImageSet:
  """Returns a set as to shapes and constants; it need not be prepared.

  Args:
    name: One of `IMAGE_SETS`.

  Returns:
    The set; of those that are prepared all pixels and labels are 0, and take
    no memory.

  Raises:
    ValueError: If there is no such set.
  """
  if name not in PREPARED:
    return load(name)
  known = PREPARED[name]

  def zeros(count: int) -> tuple[np.ndarray, np.ndarray]:
    pixels = np.broadcast_to(np.uint8(0), (count, 32, 32, 3))
    return pixels, np.broadcast_to(np.int32(0), count)

  return ImageSet(
    name,
    *zeros(known.num_train),
    *zeros(known.num_test),
    known.num_classes,
    **known.constants,
  )


def _digits() -> ImageSet:
  """Loads 1,797 real digits of 8x8 pixels, 1,437 of them to train.

  The split is drawn once and for all, evenly over the classes.
  """
  counts, ids = bundled.digits()
  # Counts of 0 to 16 black dots become 0 to 255.
  images = np.rint(counts * (255 / 16)).astype(np.uint8)[..., None]
  labels = ids.astype(np.int32)
  train, test = splits.stratified_split(labels, train_fraction=0.8, seed=0)
  return ImageSet(
    "digits",
    images[train],
    labels[train],
    images[test],
    labels[test],
    10,
    **_DIGITS,
  )


def _load_prepared(name: str, data_dir: str | None) -> ImageSet:
  """Loads a set that we prepared, or else the one of the TFDS catalogue."""
  import tensorflow_datasets as tfds

  known = PREPARED[name]
  data_dir = storage.data_dir(data_dir)
  builder = own = known.make_builder(name, data_dir=data_dir)
  if not own.is_prepared():
    # TFDS reads its own set without TensorFlow, though it cannot prepare it.
    builder = catalogue.from_name(known.catalogue, data_dir)
  # What it prepares by default, tfrecord, has no rows to ask for.
  if (
    not builder.is_prepared()
    or builder.info.file_format != tfds.core.FileFormat.ARRAY_RECORD
  ):
    raise FileNotFoundError(
      f"{name} is not prepared in {own.data_dir}, nor as array_record in "
      f"{builder.data_dir}. To download it:\n"
      f"  python -m mixup_jax.data.prepare {name}\n"
      "or, from files that you have:\n"
      f"  python -m mixup_jax.data.prepare {name} --raw DIR"
    )
  return ImageSet(
    name,
    *_read(builder, "train"),
    *_read(builder, "test"),
    known.num_classes,
    **known.constants,
  )


def _read(builder: Any, split: str) -> tuple[np.ndarray, np.ndarray]:
  """Reads the images and the labels of a split."""
  source = builder.as_data_source(split)
  # One request for all: it reads in parallel.
  examples = source.__getitems__(range(len(source)))
  images = np.stack([example["image"] for example in examples])
  labels = np.asarray([example["label"] for example in examples], np.int32)
  return images, labels
