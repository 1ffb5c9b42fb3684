"""Data sets of spoken words, held in memory."""

import difflib
from typing import Any, NamedTuple

import numpy as np

from mixup_jax.data import spectrogram
from mixup_jax.runtime import storage

Part = tuple[np.ndarray, np.ndarray]


class ClipSet(NamedTuple):
  """Clips of one second, each of one word, on the host.

  Attributes:
    name: The name of the data set.
    train: `[clips, 16000]` int16 samples, and `[clips]` int32 ids of words.
    validation: As `train`.
    test: As `train`.
    words: The words that occur, in the order of their ids.
  """

  name: str
  train: Part
  validation: Part
  test: Part
  words: tuple[str, ...]


CLIP_SETS = (
  "tones",
  "speech_commands_v0.01",
  "speech_commands_v0.02",
  "speech_commands_subset",
)


def load(name: str, data_dir: str | None = None) -> ClipSet:
  """Loads a data set: draws tones, or reads a prepared one.

  Args:
    name: One of `CLIP_SETS`.
    data_dir: The directory of prepared data sets; None is the default of TFDS.

  Returns:
    The data set.

  Raises:
    ValueError: If the data set is unknown.
    FileNotFoundError: If it is not prepared; the message names the command.
  """
  if name not in CLIP_SETS:
    close = difflib.get_close_matches(name, CLIP_SETS, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(
      f"unknown set of clips {name!r}.{hint} Known are {', '.join(CLIP_SETS)}."
    )
  return _tones() if name == "tones" else _load_prepared(name, data_dir)


def _tones() -> ClipSet:
  """Draws five "words": two tones each, at random times, in noise."""
  draws = np.random.default_rng(0)
  pitches = np.array(
    [[300, 700], [700, 300], [500, 1100], [1100, 500], [300, 1100]]
  )

  def part(count: int) -> Part:
    labels = np.resize(np.arange(5), count)
    time = np.arange(spectrogram.RATE) / spectrogram.RATE
    start = draws.uniform(0.05, 0.35, (count, 1))
    waves = np.zeros((count, spectrogram.RATE))
    for tone in range(2):
      pitch = pitches[labels, tone] * draws.uniform(0.8, 1.25, count)
      begin = start + 0.3 * tone
      heard = (begin < time) & (time < begin + 0.25)
      waves += heard * np.sin(2 * np.pi * pitch[:, None] * time)
    waves += draws.normal(0, 0.5, waves.shape)
    return (2000 * waves).astype(np.int16), labels.astype(np.int32)

  return ClipSet(
    "tones",
    part(240),
    part(60),
    part(60),
    ("low high", "high low", "mid top", "top mid", "low top"),
  )


def _load_prepared(name: str, data_dir: str | None) -> ClipSet:
  """Loads a prepared data set; words that do not occur get no id."""
  # Imported here, since it takes a second.
  from mixup_jax.data.sources.speech_commands.builder import Speech

  builder = Speech(config=name, data_dir=storage.data_dir(data_dir))
  if not builder.is_prepared():
    raise FileNotFoundError(
      f"{name} is not prepared in {builder.data_dir}. "
      "From files that you have:\n"
      f"  python -m mixup_jax.data.prepare {name} --raw DIR\n"
      "and by download, unless it is a subset:\n"
      f"  python -m mixup_jax.data.prepare {name}"
    )
  names = builder.info.features["label"].names
  parts = [_read(builder, x) for x in ("train", "validation", "test")]
  known = np.unique(np.concatenate([labels for _, labels in parts]))
  train, validation, test = (
    (samples, np.searchsorted(known, labels).astype(np.int32))
    for samples, labels in parts
  )
  return ClipSet(name, train, validation, test, tuple(names[i] for i in known))


def _read(builder: Any, split: str) -> Part:
  """Reads the samples and the labels of a split."""
  source = builder.as_data_source(split)
  examples = source.__getitems__(range(len(source)))
  return (
    np.stack([example["audio"] for example in examples]),
    np.asarray([example["label"] for example in examples], np.int32),
  )
