"""Prepares data sets, by download or from files that are there already.

    python -m mixup_jax.data.prepare abalone cifar10
    python -m mixup_jax.data.prepare all --raw DIR

What a cluster without network needs: `--raw` takes the files as their authors
ship them, anywhere below DIR.
"""

import argparse
import contextlib
import functools
import io
import os
import pathlib
import sys
import tempfile
from typing import Any, Callable, Sequence

from absl import logging

from mixup_jax.data import catalogue
from mixup_jax.data.in_memory import images
from mixup_jax.data.in_memory import tables
from mixup_jax.runtime import storage


def main(argv: Sequence[str] | None = None) -> int:
  """Prepares the sets that the command line names.

  Args:
    argv: The words behind the command; by default those of the process.

  Returns:
    The exit status: 0 if every set is there, else 2.
  """
  parser = argparse.ArgumentParser(
    prog="python -m mixup_jax.data.prepare", description="Prepares data sets."
  )
  parser.add_argument(
    "names",
    nargs="+",
    metavar="NAME",
    type=_known,
    help=f"what to prepare: {', '.join(SETS)}, or all; and "
    f"{_FOLDER}NAME, a folder of images that you name",
  )
  parser.add_argument("--raw", metavar="DIR", help="take raw files from here")
  parser.add_argument(
    "--data_dir",
    metavar="DIR",
    help="prepare into here, on a disk or gs://; by default ~/"
    "tensorflow_datasets, or $TFDS_DATA_DIR",
  )
  arguments = parser.parse_args(argv)
  logging.set_verbosity(logging.ERROR)
  try:
    raw_dir, data_dir = (
      value and str(expand(value, flag))
      for expand, flag, value in (
        (storage.on_disk, "--raw", arguments.raw),
        (storage.path, "--data_dir", arguments.data_dir),
      )
    )
  except ValueError as error:
    parser.error(str(error))
  names = list(SETS) if "all" in arguments.names else arguments.names
  failed = []
  for name in names:
    try:
      prepare = SETS.get(name, functools.partial(prepare_folder, name))
      print(prepare(raw_dir, data_dir), flush=True)
    except FileNotFoundError as error:
      print(f"not found: {name}: {error}", file=sys.stderr)
      failed.append(name)
    except Exception as error:  # pylint: disable=broad-except
      # One set that fails, for whatever reason, does not stop the others.
      print(f"error: {name}: {error}", file=sys.stderr)
      failed.append(name)
  if failed:
    print(f"error: not prepared: {', '.join(failed)}", file=sys.stderr)
  return 2 if failed else 0


def _known(name: str) -> str:
  """Returns a name that can be prepared, or raises for `argparse`."""
  folder = name.removeprefix(_FOLDER)
  if name in ("all", *SETS) or (folder != name and folder.isidentifier()):
    return name
  raise argparse.ArgumentTypeError(
    f"unknown set {name!r}: take one of all, {', '.join(SETS)}, or "
    f"{_FOLDER}NAME with letters, digits and underscores"
  )


def prepare_table(name: str, raw_dir: str | None, data_dir: str | None) -> str:
  """Prepares a UCI table.

  Args:
    name: The name of the table.
    raw_dir: Where its raw files are, in it or below; None downloads them.
    data_dir: Where to prepare it; None is the default of TFDS.

  Returns:
    A line with what there is, and where.
  """
  # Only now: --help should not wait.
  from mixup_jax.data.sources.uci.builder import Uci

  builder, where = _prepare(
    functools.partial(Uci, config=name, raw_dir=raw_dir), data_dir
  )
  config = builder.builder_config
  return (
    f"{name}: {sum(config.rows)} rows, {config.columns} columns, "
    f"{len(config.classes)} classes, {where}"
  )


def prepare_images(name: str, raw_dir: str | None, data_dir: str | None) -> str:
  """Prepares a set of small images, such as CIFAR-10.

  Args:
    name: A key of `images.PREPARED`.
    raw_dir: Where its files are as their authors ship them, in it or below;
      None downloads them.
    data_dir: Where to prepare it; None is the default of TFDS.

  Returns:
    A line with what there is, and where.
  """
  make_builder = images.PREPARED[name].make_builder
  builder, where = _prepare(
    functools.partial(make_builder, name, raw_dir=raw_dir), data_dir
  )
  splits = builder.info.splits
  return (
    f"{name}: {splits['train'].num_examples} images to train and "
    f"{splits['test'].num_examples} to test, "
    f"{builder.info.features['label'].num_classes} classes, {where}"
  )


def prepare_speech(name: str, raw_dir: str | None, data_dir: str | None) -> str:
  """Prepares Speech Commands, or some clips of it.

  Args:
    name: The name of the set.
    raw_dir: Its archive, or where that or its folders are; None downloads it.
    data_dir: Where to prepare it; None is the default of TFDS.

  Returns:
    Lines with what there is, and where, and what was not in order.
  """
  from mixup_jax.data.sources.speech_commands.builder import Speech

  builder, where = _prepare(
    functools.partial(Speech, config=name, raw_dir=raw_dir), data_dir
  )
  counts = ", ".join(
    f"{info.num_examples} {split}"
    for split, info in builder.info.splits.items()
  )
  return "\n  ".join([f"{name}: {counts} clips, {where}", *builder.remarks])


def prepare_folder(name: str, raw_dir: str | None, data_dir: str | None) -> str:
  """Prepares a folder of images, such as that of Tiny ImageNet.

  Args:
    name: "tiny_imagenet", or "image_folder/NAME" for any other.
    raw_dir: The directory with the folder that holds train and val, or with an
      archive of it; needed unless the set is prepared.
    data_dir: Where to prepare it; None is the default of TFDS.

  Returns:
    Lines with what there is, and where, and what was not in order.

  Raises:
    FileNotFoundError: If it is neither prepared nor there to be.
  """
  from mixup_jax.data.sources.image_folder import builder
  from mixup_jax.data.sources.image_folder import files

  remarks: list[str] = []
  config = name.removeprefix(_FOLDER)
  directory = builder.directory(config, data_dir)
  if storage.path(directory, "data_dir").joinpath(_INFO).exists():
    prepared = catalogue.from_directory(directory)
    where = _BEFORE + directory
  elif raw_dir is None:
    raise FileNotFoundError(
      "it is not downloaded: unpack it, and name the directory that holds "
      "train and val with --raw."
    )
  else:
    with files.opened(pathlib.Path(raw_dir)) as folder:
      prepared, where = _prepare(
        functools.partial(builder.ImageFolder, config=config, folder=folder),
        data_dir,
      )
      remarks = prepared.remarks
  splits = prepared.info.splits
  text = (
    f"{name}: {splits['train'].num_examples} images to train and "
    f"{splits['validation'].num_examples} to validate, "
    f"{prepared.info.features['label'].num_classes} classes, {where}"
  )
  return "\n  ".join([text, *remarks])


def _prepare(
  make_builder: Callable[..., Any], data_dir: str | None
) -> tuple[Any, str]:
  """Prepares a set unless that is done; returns its builder, and where it is.

  What is to be in a bucket is written to a disk, and uploaded.
  """
  import tensorflow_datasets as tfds

  tfds.disable_progress_bar()
  builder = make_builder(data_dir=data_dir)
  if builder.is_prepared():
    return builder, f"{_BEFORE}{builder.data_dir}"
  place = storage.path(builder.data_dir, "--data_dir")
  _check_writable(place.parent)
  with contextlib.ExitStack() as stack:
    if storage.in_bucket(place):
      local = stack.enter_context(tempfile.TemporaryDirectory())
      builder = make_builder(data_dir=local)
    # TFDS prints it too.
    with contextlib.redirect_stdout(io.StringIO()):
      builder.download_and_prepare()
    if storage.in_bucket(place):
      storage.upload(pathlib.Path(builder.data_dir), place, last=_INFO)
  return builder, f"prepared in {place}"


def _check_writable(directory: storage.Path) -> None:
  """Makes a directory, and raises unless files can be made in it."""
  try:
    storage.check_writable(directory, name=f".probe{os.getpid()}")
  except storage.Unavailable:
    raise
  except OSError as error:
    raise OSError(
      f"cannot write to {directory} ({error.strerror}): name "
      "another directory with --data_dir."
    ) from error


# What TFDS takes for a sign that a set is whole.
_INFO = "dataset_info.json"
_BEFORE = "was prepared before in "
_FOLDER = "image_folder/"
_SPEECH = (
  "speech_commands_v0.01",
  "speech_commands_v0.02",
  "speech_commands_subset",
)
SETS: dict[str, Callable[[str | None, str | None], str]] = {
  **{name: functools.partial(prepare_table, name) for name in tables.TABLES},
  **{name: functools.partial(prepare_images, name) for name in images.PREPARED},
  **{name: functools.partial(prepare_speech, name) for name in _SPEECH},
  "tiny_imagenet": functools.partial(prepare_folder, "tiny_imagenet"),
}

if __name__ == "__main__":
  sys.exit(main())
