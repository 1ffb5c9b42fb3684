"""Sets of encoded images on disk, as they were prepared."""

import os
import re
from typing import Any, Mapping, NamedTuple, Protocol, Sequence

_FOLDER = "image_folder/"
# The usual constants of ImageNet, of its pixels in [0, 1].
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


class Source(Protocol):
  """Examples that can be asked for by their numbers."""

  def __len__(self) -> int:
    """Returns how many there are."""

  def __getitem__(self, row: int, /) -> Mapping[str, Any]:
    """Returns one; it may come from another thread than the one before."""


class StreamSet(NamedTuple):
  """Encoded images with a class for each, on disk, and how to treat them.

  Attributes:
    name: Its name.
    num_classes: The number of classes.
    class_names: Their names, in the order of their ids.
    train: The examples to train on, each a dictionary of the encoded "image",
      its "label" and, in most sets, its "file_name".
    validation: The others.
    mean: For each channel what normalisation subtracts, of pixels in [0, 1].
    std: For each channel what it divides by.
  """

  name: str
  num_classes: int
  class_names: tuple[str, ...]
  train: Source
  validation: Source
  mean: tuple[float, ...] = _MEAN
  std: tuple[float, ...] = _STD


class Records:
  """Examples with their images as they are encoded.

  What TFDS does with `SkipDecoding`, for less than half of its price: 55 us an
  example, not 120, during which no other thread runs.
  """

  def __init__(self, source: Sequence[bytes]):
    """Reads the examples of a source of serialized ones."""
    self._source = source

  def __len__(self) -> int:
    return len(self._source)

  def __getitem__(self, row: int) -> dict[str, Any]:
    from tensorflow_datasets.proto import tf_example_pb2

    found = tf_example_pb2.Example.FromString(self._source[row])
    features = found.features.feature
    example = {
      "image": features["image"].bytes_list.value[0],
      "label": features["label"].int64_list.value[0],
    }
    if "file_name" in features:
      name = features["file_name"].bytes_list.value[0]
      example["file_name"] = name.decode()
    return example


def load(name: str, data_dir: str | None = None) -> StreamSet:
  """Opens a set that is prepared as array_record, for reading one by one.

  Args:
    name: "digits", which need no preparation; "tiny_imagenet" or
      "image_folder/NAME", as `mixup_jax.data.prepare` prepares them; else a set
      of TFDS with features "image" and "label", such as "imagenet2012" or
      "imagenette/320px-v2", or the directory of one.
    data_dir: Where prepared sets are; None is the default of TFDS.

  Returns:
    The set. Validation is the split of that name, or else "test".

  Raises:
    ValueError: If there is no such set, or it is none of images and classes.
    FileNotFoundError: If it has not been prepared; the message says how to.
  """
  if name == "digits":
    from mixup_jax.data.sources.image_folder import digits

    return digits.load()
  import tensorflow_datasets as tfds  # Only now: the import takes a second.

  builder = _builder(name, data_dir)
  if builder.info.file_format != tfds.core.FileFormat.ARRAY_RECORD:
    raise FileNotFoundError(_not_prepared(name, str(builder.data_dir)))
  info, features = builder.info, dict(builder.info.features.items())
  if not (
    isinstance(features.get("image"), tfds.features.Image)
    and isinstance(features.get("label"), tfds.features.ClassLabel)
  ):
    raise ValueError(
      f"{name} has the features {', '.join(features)}: it needs "
      "an image that is encoded, and a label that is a class."
    )
  splits = [s for s in ("train", "validation", "test") if s in info.splits]
  if len(splits) < 2 or splits[0] != "train":
    raise ValueError(
      f"{name} has the splits {', '.join(info.splits)}: it needs"
      " train, and validation or test."
    )
  raw = tfds.decode.DeserializeMethod.RAW_BYTES
  train, validation = (
    Records(builder.as_data_source(split, deserialize_method=raw))
    for split in splits[:2]
  )
  classes = features["label"]
  return StreamSet(
    name, classes.num_classes, tuple(classes.names), train, validation
  )


def _builder(name: str, data_dir: str | None) -> Any:
  """Returns the builder of a set that is prepared."""
  import tensorflow_datasets as tfds

  from mixup_jax.data.sources.image_folder import builder as image_folder

  if _is_own(name):
    directory = image_folder.directory(name.removeprefix(_FOLDER), data_dir)
  elif os.path.isdir(name):
    directory = name
  else:
    try:
      builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
      raise ValueError(
        f"unknown set {name!r}: TFDS has none of that name. For a folder of "
        f"your own, prepare and load '{_FOLDER}NAME'."
      ) from error
    directory = str(builder.data_dir)
  if not os.path.exists(os.path.join(directory, "dataset_info.json")):
    raise FileNotFoundError(_not_prepared(name, directory))
  # Unlike others, this kind of builder is the same in every process.
  return tfds.builder_from_directory(directory)


def _is_own(name: str) -> bool:
  """Returns whether a set is one that this package prepares."""
  return name == "tiny_imagenet" or name.startswith(_FOLDER)


def _not_prepared(name: str, data_dir: str) -> str:
  """Says how to prepare a set."""
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
