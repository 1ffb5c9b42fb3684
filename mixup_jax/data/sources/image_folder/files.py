"""Finds the images of a folder, and the class of each."""

import contextlib
import os
import pathlib
import re
import tempfile
from typing import Iterator, NamedTuple, Sequence

from mixup_jax.data.sources import archives
from mixup_jax.data.sources import text

_IMAGES = (".jpeg", ".jpg", ".png")
# Images hardly shrink, and a gigabyte is little.
_MOST_BYTES, _MOST_RATIO = 2**30, 100
_PNG = b"\x89PNG\r\n\x1a\n"

Labelled = list[tuple[pathlib.Path, int]]


class Files(NamedTuple):
  """The images of a set.

  Attributes:
    classes: The class names, in the order of their ids.
    train: The images to train on, each with the id of its class.
    validation: The others.
    remarks: Lines about what was passed over, and what will look different.
  """

  classes: list[str]
  train: Labelled
  validation: Labelled
  remarks: list[str]


@contextlib.contextmanager
def opened(directory: pathlib.Path) -> Iterator[pathlib.Path]:
  """Finds the folder that holds `train`, and unpacks it if it is an archive.

  Args:
    directory: Where to look: there, in its folders, or in an archive there, tar
      or zip; or the archive itself.

  Yields:
    The folder; it is gone afterwards if it came from an archive.

  Raises:
    FileNotFoundError: If there is none.
    ValueError: If an archive is damaged, or unpacks to far more than images.
    OSError: If the disk is full.
  """
  found = _with_train(directory)
  packed = archives.find(directory)
  if found or not packed:
    yield _checked(found, directory)
    return
  with tempfile.TemporaryDirectory() as name:
    unpacked = pathlib.Path(name)
    for archive in packed:
      most_bytes = max(_MOST_BYTES, _MOST_RATIO * archive.stat().st_size)
      archives.unpack(archive, unpacked, most_bytes=most_bytes)
    yield _checked(_with_train(unpacked), directory)


def read(folder: pathlib.Path) -> Files:
  """Finds the images of a folder.

  Hidden files and folders are no part of it. The images are those of
  `train/CLASS` and `val/CLASS`, or of a folder `images` in each. In
  Tiny ImageNet `val/val_annotations.txt` names the classes instead.

  Args:
    folder: The folder that holds train and val.

  Returns:
    The images in the order of their paths. Classes are in the order of the
    alphabet, as in imagenet2012.

  Raises:
    FileNotFoundError: If there are no images to train on or to validate.
    ValueError: If one has a class that is not among those to train on, a class
      has no images to train on, or an annotation names no file beside it.
  """
  classes = _folders(folder / "train")
  passed: list[pathlib.Path] = []
  annotations = folder / "val" / "val_annotations.txt"
  train = _by_folder(folder / "train", classes, passed)
  empty = set(range(len(classes))) - {label for _, label in train}
  if empty:
    raise ValueError(
      f"{folder / 'train' / classes[min(empty)]} holds no file named "
      f"*{', *'.join(_IMAGES)}: take it away, or put its images there."
    )
  if annotations.exists():
    validation = _annotated(annotations, classes)
  else:
    validation = _by_folder(folder / "val", classes, passed)
  images = [path for path, _ in (*train, *validation)]
  return Files(classes, train, validation, _remarks(passed, images))


def _with_train(directory: pathlib.Path) -> pathlib.Path | None:
  """Returns the directory, or a folder in it, that holds `train`."""
  for path in directory, *sorted(directory.glob("*")):
    is_hidden = archives.is_hidden(path.relative_to(directory))
    if not is_hidden and (path / "train").is_dir():
      return path
  return None


def _checked(
  folder: pathlib.Path | None, directory: pathlib.Path
) -> pathlib.Path:
  """Raises if there is no folder."""
  if folder is None:
    raise FileNotFoundError(
      f"there is no file train/CLASS/*.JPEG in {directory}, nor in a folder "
      "or an archive there: name the directory that holds it with --raw."
    )
  return folder


def _folders(path: pathlib.Path) -> list[str]:
  """Returns the names of the folders in a folder, sorted."""
  if not path.is_dir():
    raise FileNotFoundError(
      f"there is no folder {path}: name the directory "
      "that holds train and val with --raw."
    )
  with os.scandir(path) as entries:
    return sorted(
      entry.name
      for entry in entries
      if entry.is_dir() and not archives.is_hidden(pathlib.Path(entry.name))
    )


def _by_folder(
  path: pathlib.Path, classes: list[str], passed: list[pathlib.Path]
) -> Labelled:
  """Returns the images in the folders of classes; adds others to `passed`."""
  unknown = sorted(set(_folders(path)) - set(classes))
  if unknown:
    raise ValueError(
      f"{path / unknown[0]} is of a class that train has not: "
      "take it away, or name the right directory with --raw."
    )
  return _some(
    path,
    [
      (image, label)
      for label, name in enumerate(classes)
      for image in _images(path / name, passed)
    ],
  )


def _images(
  path: pathlib.Path, passed: list[pathlib.Path]
) -> list[pathlib.Path]:
  """Returns the images in a folder, or in the folder `images` in it."""
  if (path / "images").is_dir():
    path = path / "images"
  found: list[pathlib.Path] = []
  for file in path.glob("*"):
    if archives.is_hidden(pathlib.Path(file.name)):
      continue
    (found if file.suffix.lower() in _IMAGES else passed).append(file)
  return sorted(found)


def _annotated(annotations: pathlib.Path, classes: list[str]) -> Labelled:
  """Returns the images that a file names, each with its class."""
  ids = {name: label for label, name in enumerate(classes)}
  images = annotations.parent / "images"
  found = []
  lines = text.decode(annotations.read_bytes(), annotations).splitlines()
  for number, line in enumerate(lines, start=1):
    name, label, *_ = [*line.split("\t"), ""]
    if label not in ids:
      raise ValueError(
        f"{annotations}, line {number}: the class {label!r} is "
        "not in train; the file is damaged, fetch it again."
      )
    path = images / name
    # The name alone: "../../secret" would bring another file into the set.
    if not re.fullmatch(r"[^/\\\0]+", name) or not path.is_file():
      raise ValueError(
        f"{annotations}, line {number}: {name!r} is no file in {images}; "
        "the file is damaged, fetch the set again."
      )
    found.append((path, ids[label]))
  return _some(annotations.parent, found)


def _some(path: pathlib.Path, images: Labelled) -> Labelled:
  """Raises if there are no images."""
  if not images:
    raise FileNotFoundError(
      f"there is no file {path}/CLASS/*.JPEG: name the "
      "directory that holds the images with --raw."
    )
  return images


def _remarks(
  passed: Sequence[pathlib.Path], images: Sequence[pathlib.Path]
) -> list[str]:
  """Returns lines about other files, and images that lose something."""
  odd: dict[str, list[pathlib.Path]] = {
    f"files are passed over, whose names do not end in {', '.join(_IMAGES)}": [
      *passed
    ],
    "images have 16 bits a channel, of which 8 are kept; values of fewer bits "
    "are nearly black": [],
    "images have transparency, which is dropped: what shows may be black": [],
  }
  _, deep, clear = odd.values()
  for path in images:
    if path.suffix.lower() == ".png":
      with path.open("rb") as file:
        header = file.read(64)
      if header.startswith(_PNG):  # Then the sizes, the depth, the color type.
        deep += [path] * (header[24:25] == b"\x10")
        clear += [path] * (header[25:26] in (b"\x04", b"\x06"))
  return [
    f"{len(paths)} {what}, such as {paths[0]}"
    for what, paths in odd.items()
    if paths
  ]
