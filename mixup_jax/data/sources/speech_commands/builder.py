"""Speech Commands as a TFDS builder, without TensorFlow and its audio."""

import hashlib
import os
import pathlib
from typing import Any, Iterator

import numpy as np
import tensorflow_datasets as tfds

from mixup_jax.data.sources import info
from mixup_jax.data.sources import text
from mixup_jax.data.sources.speech_commands import files
from mixup_jax.data.sources.speech_commands import spec

_URL = "http://download.tensorflow.org/data/"
_SPLITS = ("train", "validation", "test")
# More clips than this that cannot be read are no accident.
_BAD_SHARE = 0.01

Example = dict[str, Any]


class Speech(tfds.core.GeneratorBasedBuilder):
  """Clips of a second as int16 samples, with the word that is spoken in them.

  Clips that are shorter or longer are padded or cut; what cannot be read is
  left out.

  Attributes:
    remarks: Lines about irregular clips, after it was prepared.
  """

  VERSION = tfds.core.Version("1.0.0")
  RELEASE_NOTES = {"1.0.0": "First."}
  BUILDER_CONFIGS = list(spec.SETS)

  def __init__(
    self,
    *,
    config: str,
    raw_dir: str | os.PathLike[str] | None = None,
    data_dir: str | os.PathLike[str] | None = None,
    **options: Any,
  ):
    """Makes the builder of one set.

    Args:
      config: The name of a set.
      raw_dir: Its archive, or a directory that holds it or its folders; None
        downloads it.
      data_dir: Where prepared sets are; None is the default of TFDS.
      **options: As `tfds.core.GeneratorBasedBuilder` takes them.
    """
    self._raw_dir = raw_dir
    self.remarks: list[str] = []
    options.setdefault("file_format", "array_record")
    super().__init__(config=config, data_dir=data_dir, **options)

  def _info(self) -> tfds.core.DatasetInfo:
    features = {
      "audio": tfds.features.Tensor(
        shape=(files.RATE,),
        dtype=np.int16,
        encoding=tfds.features.Encoding.BYTES,
      ),
      "label": tfds.features.ClassLabel(names=list(self.builder_config.words)),
      "file_name": tfds.features.Text(),
    }
    return info.DatasetInfo(
      builder=self,
      description=self.builder_config.description,
      features=tfds.features.FeaturesDict(features),
      disable_shuffling=True,
      supervised_keys=("audio", "label"),
      homepage="https://arxiv.org/abs/1804.03209",
    )

  def _split_generators(
    self, dl_manager: tfds.download.DownloadManager
  ) -> dict[str, Any]:
    config = self.builder_config
    if self._raw_dir is not None:
      path = files.find(pathlib.Path(self._raw_dir))
      splits, self.remarks = read(config, path)
    elif config.archive:
      path = pathlib.Path(dl_manager.download(_URL + config.archive))
      splits, self.remarks = _read_archive(config, path)
    else:
      raise FileNotFoundError(
        f"{config.name} cannot be downloaded: name a "
        "directory of clips with --raw."
      )
    return {split: enumerate(examples) for split, examples in splits.items()}

  def _generate_examples(self) -> Iterator[Any]:
    raise NotImplementedError  # The splits bring their own generators.


def _read_archive(
  config: spec.SpeechConfig, archive: pathlib.Path
) -> tuple[dict[str, list[Example]], list[str]]:
  """Reads the archive that was downloaded, and removes it if it is damaged."""
  try:
    return read(config, archive)
  except ValueError as error:
    # Else TFDS would take it again.
    for name in archive.name, f"{archive.name}.INFO":
      archive.with_name(name).unlink(missing_ok=True)
    raise ValueError(
      f"the archive from {_URL}{config.archive} is damaged or "
      f"not the published one, and was removed: {error}"
    ) from error


def read(
  config: spec.SpeechConfig, path: pathlib.Path
) -> tuple[dict[str, list[Example]], list[str]]:
  """Reads all clips of a set, and collects remarks on irregular ones.

  Args:
    config: The set.
    path: Its archive, or the directory of its folders.

  Returns:
    The examples of each split, and remarks.

  Raises:
    ValueError: If it is another set, or too much of it cannot be read.
  """
  lists: dict[str, set[str]] = {}
  examples: list[Example] = []
  names: set[str] = set()  # Of all clips, also of those that are left out.
  odd: dict[str, list[str]] = {"padded": [], "cut": [], "silent": []}
  bad: list[str] = []
  of_list = {name: split for split, name in files.LISTS.items()}
  passed: list[str] = []
  for file in files.read(path, passed):
    if file.name in of_list:
      listed = text.decode(file.data, f"{path}: {file.name}").split()
      lists[of_list[file.name]] = set(listed)
      continue
    word = file.name.partition("/")[0]
    if word not in config.words:
      raise ValueError(
        f"{path} has a folder {word!r}, which is no word of "
        f"{config.name}: it is another set."
      )
    names.add(file.name)
    try:
      samples, length = files.parse(file)
    except ValueError as error:
      bad.append(str(error))
      continue
    odd["padded"] += [file.name] * (length < files.RATE)
    odd["cut"] += [file.name] * (length > files.RATE)
    odd["silent"] += [file.name] * (not samples.any())
    examples.append({"audio": samples, "label": word, "file_name": file.name})
  if len(bad) > _BAD_SHARE * (len(examples) + len(bad)):
    raise ValueError(
      f"{len(bad)} of {len(examples) + len(bad)} clips in {path}"
      f" cannot be read: {'; '.join(bad[:3])}."
    )
  splits = {
    split: sorted(
      (x for x in examples if _split(x["file_name"], lists) == split),
      key=lambda x: x["file_name"],
    )
    for split in _SPLITS
  }
  counts = {split: len(clips) for split, clips in splits.items()}
  if config.clips:
    _check_counts(config, path, counts, len(bad))
    _check_lists(config, path, lists, names)
  if not all(counts.values()):
    raise ValueError(
      f"{path} has {_text(counts)} clips: each split needs some."
    )
  remarks = [
    f"{len(clips)} of them {how}, such as {clips[0]}"
    for how, clips in odd.items()
    if clips
  ]
  if passed:
    remarks.append(
      f"{len(passed)} other files are left out, such as {passed[0]}"
    )
  if not lists:
    remarks.append("split by a hash of the speaker, as there are no lists")
  return splits, [*remarks, *(f"left out: {text}" for text in bad)]


def _split(name: str, lists: dict[str, set[str]]) -> str:
  """Returns the split of a clip, from the lists or by its speaker."""
  if lists:
    return next(
      (split for split, names in lists.items() if name in names), "train"
    )
  # Not the authors' hash: to it, all clips of their test set are test clips.
  speaker = pathlib.PurePosixPath(name).name.partition("_nohash_")[0]
  share = hashlib.sha256(speaker.encode()).digest()[0] / 256
  return "validation" if share < 0.15 else "test" if share < 0.35 else "train"


def _check_lists(
  config: spec.SpeechConfig,
  path: pathlib.Path,
  lists: dict[str, set[str]],
  names: set[str],
) -> None:
  """Raises unless a published set has the lists that it is published with.

  Without them another split would bear its name.
  """
  for split, file in files.LISTS.items():
    listed, known = lists.get(split, set()), config.clips[split]
    absent = sorted(listed - names)
    if split not in lists:
      what = f"has no {file}, which names its {split} clips"
    elif len(listed) != known:
      what = f"has a {file} of {len(listed)} clips instead of {known}"
    elif absent:
      what = f"has a {file} with {absent[0]}, but no such clip"
    else:
      continue
    raise ValueError(
      f"{path} {what}: fetch {config.name} again, or prepare what is there as "
      f"{spec.SUBSET}."
    )


def _check_counts(
  config: spec.SpeechConfig,
  path: pathlib.Path,
  counts: dict[str, int],
  num_bad: int,
) -> None:
  """Raises unless there are as many clips as in the published set."""
  if sum(counts.values()) + num_bad != sum(config.clips.values()):
    raise ValueError(
      f"{path} has {_text(counts)} clips, and {config.name} has "
      f"{_text(config.clips)}: fetch it again, or prepare what is there as "
      f"{spec.SUBSET}."
    )


def _text(counts: dict[str, int]) -> str:
  """Returns numbers of clips in words."""
  return ", ".join(f"{n} {split}" for split, n in counts.items())
