"""Finds the images of a folder, and the class of each."""

import contextlib
import os
import pathlib
import tarfile
import tempfile
from typing import Iterator, NamedTuple
import zlib

_IMAGES = (".jpeg", ".jpg", ".png")
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz")

Labelled = list[tuple[pathlib.Path, int]]


class Files(NamedTuple):
  """The images of a set.

  Attributes:
    classes: The class names, in the order of their ids.
    train: The images to train on, each with the id of its class.
    validation: The others.
  """

  classes: list[str]
  train: Labelled
  validation: Labelled


@contextlib.contextmanager
def opened(directory: pathlib.Path) -> Iterator[pathlib.Path]:
  """Finds the folder that holds `train`, and unpacks it if it is an archive.

  Args:
    directory: Where to look: there, in its folders, or in an archive there.

  Yields:
    The folder; it is gone afterwards if it came from an archive.

  Raises:
    FileNotFoundError: If there is none.
    ValueError: If an archive is damaged.
  """
  found = _with_train(directory)
  archives = sorted(
    path for path in directory.glob("*") if path.name.endswith(_ARCHIVES)
  )
  if found or not archives:
    yield _checked(found, directory)
    return
  with tempfile.TemporaryDirectory() as unpacked:
    for archive in archives:
      try:
        with tarfile.open(archive) as members:
          members.extractall(unpacked, filter="data")
      except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
          f"{archive} cannot be unpacked ({reason}): it is cut "
          "off or damaged, fetch it again."
        ) from error
    yield _checked(_with_train(pathlib.Path(unpacked)), directory)


def read(folder: pathlib.Path) -> Files:
  """Finds the images of a folder.

  They are those of `train/CLASS` and `val/CLASS`, or of a folder `images` in
  each. In Tiny ImageNet `val/val_annotations.txt` names the classes instead.

  Args:
    folder: The folder that holds train and val.

  Returns:
    The images in the order of their paths. Classes are in the order of the
    alphabet, as in imagenet2012.

  Raises:
    FileNotFoundError: If there are no images to train on or to validate.
    ValueError: If one has a class that is not among those to train on.
  """
  classes = _folders(folder / "train")
  annotations = folder / "val" / "val_annotations.txt"
  train = _by_folder(folder / "train", classes)
  if annotations.exists():
    validation = _annotated(annotations, classes)
  else:
    validation = _by_folder(folder / "val", classes)
  return Files(classes, train, validation)


def _with_train(directory: pathlib.Path) -> pathlib.Path | None:
  """Returns the directory, or a folder in it, that holds `train`."""
  for path in directory, *sorted(directory.glob("*")):
    if (path / "train").is_dir():
      return path
  return None


def _checked(
  folder: pathlib.Path | None, directory: pathlib.Path
) -> pathlib.Path:
  """Raises if there is no folder."""
  if folder is None:
    raise FileNotFoundError(
      f"there is no file train/CLASS/*.JPEG in {directory}, nor in a folder "
      "or a tar archive there: name the directory that holds it with --raw."
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
    return sorted(entry.name for entry in entries if entry.is_dir())


def _by_folder(path: pathlib.Path, classes: list[str]) -> Labelled:
  """Returns the images in the folders of classes."""
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
      for image in _images(path / name)
    ],
  )


def _images(path: pathlib.Path) -> list[pathlib.Path]:
  """Returns the images in a folder, or in the folder `images` in it."""
  if (path / "images").is_dir():
    path = path / "images"
  return sorted(
    file for file in path.glob("*") if file.suffix.lower() in _IMAGES
  )


def _annotated(annotations: pathlib.Path, classes: list[str]) -> Labelled:
  """Returns the images that a file names, each with its class."""
  ids = {name: label for label, name in enumerate(classes)}
  found = []
  for number, line in enumerate(annotations.read_text().splitlines(), start=1):
    name, label, *_ = [*line.split("\t"), ""]
    if label not in ids:
      raise ValueError(
        f"{annotations}, line {number}: the class {label!r} is "
        "not in train; the file is damaged, fetch it again."
      )
    found.append((annotations.parent / "images" / name, ids[label]))
  return _some(annotations.parent, found)


def _some(path: pathlib.Path, images: Labelled) -> Labelled:
  """Raises if there are no images."""
  if not images:
    raise FileNotFoundError(
      f"there is no file {path}/CLASS/*.JPEG: name the "
      "directory that holds the images with --raw."
    )
  return images
