"""Prepared data sets of encoded images, on a disk or in a bucket."""

import bisect
import functools
import itertools
import re
from typing import Any, Mapping, NamedTuple, Protocol, Sequence

from mixup_jax.data import catalogue
from mixup_jax.runtime import storage

_FOLDER = "image_folder/"
_INFO = "dataset_info.json"
# The usual constants of ImageNet, for pixels in [0, 1].
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


class Source(Protocol):
  """Examples with random access."""

  def __len__(self) -> int:
    """Returns the number of examples."""

  def __getitem__(self, row: int, /) -> Mapping[str, Any]:
    """Returns an example; any thread may call it."""


class StreamSet(NamedTuple):
  """A data set of encoded, labelled images on disk.

  Attributes:
    name: The name of the data set.
    num_classes: The number of classes.
    class_names: The names of the classes, in the order of their ids.
    train: The training examples, each a dictionary of the encoded "image", its
      "label" and, in most data sets, its "file_name".
    validation: The validation examples.
    mean: The mean of each channel, for pixels in [0, 1].
    std: The standard deviation of each channel, for pixels in [0, 1].
  """

  name: str
  num_classes: int
  class_names: tuple[str, ...]
  train: Source
  validation: Source
  mean: tuple[float, ...] = _MEAN
  std: tuple[float, ...] = _STD


class Records:
  """Examples with encoded images, in files of array_record.

  It does what TFDS does with `SkipDecoding`, in less time: TFDS reads a list of
  one record, which takes longer the more records a file has, and 23 us at
  10,000; a range of one takes 5. Any thread may read.
  """

  def __init__(self, files: Sequence[Any]):
    """Takes the `file_instructions` that TFDS has for a split."""
    from tensorflow_datasets.proto import tf_example_pb2

    self._parse = tf_example_pb2.Example.FromString
    self._files = files
    self._ends = list(itertools.accumulate(file.take for file in files))
    self._reader = functools.cache(_reader)  # There may be a thousand files.

  def __len__(self) -> int:
    return self._ends[-1] if self._ends else 0

  def __getitem__(self, row: int) -> dict[str, Any]:
    index = bisect.bisect_right(self._ends, row)
    file = self._files[index]
    place = file.skip + file.take + row - self._ends[index]
    (record,) = self._reader(file.filename).read(place, place + 1)
    features = self._parse(record).features.feature
    example = {
      "image": features["image"].bytes_list.value[0],
      "label": features["label"].int64_list.value[0],
    }
    if "file_name" in features:
      name = features["file_name"].bytes_list.value[0]
      example["file_name"] = name.decode()
    return example


def _reader(path: str) -> Any:
  """Opens a file of array_record for reads from anywhere."""
  from array_record.python import array_record_module

  return array_record_module.ArrayRecordReader(
    path, options="readahead_buffer_size:0", file_reader_buffer_size=32768
  )


def load(name: str, data_dir: str | None = None) -> StreamSet:
  """Opens a data set that is prepared as array_record, with random access.

  Args:
    name: "digits", which need no preparation; "tiny_imagenet" or
      "image_folder/NAME", as `mixup_jax.data.prepare` prepares them; or a data
      set of TFDS with features "image" and "label", such as "imagenet2012" or
      "imagenette/320px-v2", or the directory of one.
    data_dir: The directory of prepared data sets; None is the default of TFDS.

  Returns:
    The data set. Its validation split is "validation", or else "test".

  Raises:
    ValueError: If the data set is unknown, has no images and classes, or has
      features that are not of TFDS.
    FileNotFoundError: If it is not prepared; the message names the command.
  """
  if name == "digits":
    from mixup_jax.data.sources.image_folder import digits

    return digits.load()
  import tensorflow_datasets as tfds  # Here, since it takes a second.

  builder = _builder(name, storage.data_dir(data_dir))
  if builder.info.file_format != tfds.core.FileFormat.ARRAY_RECORD:
    raise FileNotFoundError(_not_prepared(name, str(builder.data_dir)))
  info, features = builder.info, dict(builder.info.features.items())
  if not (
    isinstance(features.get("image"), tfds.features.Image)
    and isinstance(features.get("label"), tfds.features.ClassLabel)
  ):
    raise ValueError(
      f"{name} has the features {', '.join(features)}: it needs "
      "an encoded image, and a class label."
    )
  splits = [s for s in ("train", "validation", "test") if s in info.splits]
  if len(splits) < 2 or splits[0] != "train":
    raise ValueError(
      f"{name} has the splits {', '.join(info.splits)}: it needs"
      " train, and validation or test."
    )
  train, validation = (
    Records(info.splits[split].file_instructions) for split in splits[:2]
  )
  classes = features["label"]
  return StreamSet(
    name, classes.num_classes, tuple(classes.names), train, validation
  )


def _builder(name: str, data_dir: str | None) -> Any:
  """Returns the builder of a prepared data set."""
  import tensorflow_datasets as tfds

  from mixup_jax.data.sources.image_folder import builder

  if _is_own(name):
    directory = builder.directory(name.removeprefix(_FOLDER), data_dir)
  elif (given := storage.path(name, "dataset")).is_dir():
    directory = str(given)
  else:
    try:
      directory = str(catalogue.from_name(name, data_dir).data_dir)
    except tfds.core.DatasetNotFoundError as error:
      raise ValueError(
        f"unknown set {name!r}: TFDS has none of that name. For a folder of "
        f"images, prepare and load '{_FOLDER}NAME'."
      ) from error
  if not storage.path(directory, "dataset").joinpath(_INFO).exists():
    raise FileNotFoundError(_not_prepared(name, directory))
  # Unlike the others, this kind of builder is equal in every process.
  return catalogue.from_directory(directory)


def _is_own(name: str) -> bool:
  """Returns whether this package prepares a data set."""
  return name == "tiny_imagenet" or name.startswith(_FOLDER)


def _not_prepared(name: str, data_dir: str) -> str:
  """Returns a message with the command that prepares a data set."""
  own = _is_own(name)
  target = name if own else _FOLDER + re.sub(r"\W", "_", name)
  text = (
    f"{name} is not prepared as array_record in {data_dir}. To prepare "
    "it from a folder of images: python -m mixup_jax.data.prepare "
    f"{target} --raw DIR"
  )
  if own:
    return text
  return (
    f"{text}, and load {target!r}; or, with TensorFlow: tfds build {name}"
    " --file_format=array_record"
  )
