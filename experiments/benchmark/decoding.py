"""Images read, decoded and cropped: our stream, plain PIL, and the ceiling.

All use every core, on the same images. The ceilings decode with OpenCV what
lies in memory already, crop it or not, and throw it away. On a machine that
others use, too, compare time of the processor: `--clock=processor`.
"""

from concurrent import futures
import contextlib
import functools
import io
import os
import pathlib
import tempfile
from typing import Any, Callable, Iterator

from absl import logging
import cv2
import numpy as np
import PIL.Image

from experiments.benchmark import timing
from mixup_jax.data import prepare
from mixup_jax.data.streaming import batches
from mixup_jax.data.streaming import decode
from mixup_jax.data.streaming import order
from mixup_jax.results import Method

_BATCH = 64
_LEAST = 8  # Batches of a call: an epoch, or so many.
# The share of their rate that we aim at; small images are mostly overhead.
_GOAL, _GOAL_OF_SMALL = 0.85, 0.8


def table(
  data_dir: str | None, **options: Any
) -> tuple[str, list[timing.Measured]]:
  """Measures on all sets at hand; returns a table, and the times."""
  logging.set_verbosity(logging.ERROR)  # TFDS logs each set it opens.
  with (
    tempfile.TemporaryDirectory() as directory,
    contextlib.ExitStack() as streams,
  ):
    write_images(pathlib.Path(directory) / "raw", train=128, val=1)
    prepare.prepare_folder("image_folder/smooth", f"{directory}/raw", directory)
    sets = [(batches.load("image_folder/smooth", directory), 224, _GOAL)]
    try:
      small = batches.load("tiny_imagenet", data_dir)
      sets.append((small, 64, _GOAL_OF_SMALL))
    except FileNotFoundError as error:
      print(f"left out: {error}\n")
    cases = [
      case
      for stream_set, size, goal in sets
      for case in streams.enter_context(compared(stream_set, size, goal))
    ]
    measured = timing.measure(cases, **options)
  return timing.table(measured), measured


def write_images(directory: pathlib.Path, **counts: int) -> None:
  """Writes JPEGs of 500x375 and quality 90 with the spectrum of photographs.

  Noise would be an unfair burden for the decoder: smooth random fields of three
  scales make files of about 50 kB.
  """
  rng = np.random.default_rng(0)
  for split, count in counts.items():
    folder = directory / split / "smooth"
    folder.mkdir(parents=True)
    for number in range(count):
      fields = [
        weight
        * cv2.resize(
          rng.normal(size=(*shape, 3)),
          (500, 375),
          interpolation=cv2.INTER_CUBIC,
        )
        for weight, shape in ((45, (12, 16)), (18, (60, 80)), (4, (375, 500)))
      ]
      pixels = np.clip(128 + sum(fields), 0, 255).astype(np.uint8)
      PIL.Image.fromarray(pixels).save(folder / f"{number:04}.jpg", quality=90)


@contextlib.contextmanager
def compared(
  stream_set: batches.StreamSet, size: int, goal: float
) -> Iterator[list[timing.Case]]:
  """Yields a case for each other way, and closes our stream in the end.

  Args:
    stream_set: The data set.
    size: Height and width of the crops, in pixels.
    goal: The share of the rate of the others that we aim at.
  """
  steps = max(len(stream_set.train) // _BATCH, _LEAST)
  work = _work(stream_set, range(steps))
  stream = batches.train_batches(
    stream_set, seed=0, batch_size=_BATCH, image_size=size, workers=_cores()
  )

  def ours() -> None:
    # The call before has filled the first of these, and this one fills as many
    # of the next.
    for _ in range(steps):
      next(stream)

  def crop(data: bytes, draws: np.ndarray) -> None:
    out = np.empty((size, size, 3), np.uint8)
    decode.train_image(decode.decode(data), draws, out=out)

  def pil(data: bytes, draws: np.ndarray) -> None:
    with_pil(data, draws, size)

  name = f"{len(work)} images of {stream_set.name}, to {size}x{size}"
  others: dict[Method, Callable[[bytes, np.ndarray], object]] = {
    Method("decoder", "decoding alone, from memory"): _decode,
    Method("crop", "decoding and cropping, from memory"): crop,
    Method("pil", "PIL, from memory"): pil,
  }
  try:
    yield [
      timing.Case(
        name, ours, method, functools.partial(_on_all, work, other), 1 / goal
      )
      for method, other in others.items()
    ]
  finally:
    stream.close()


def _decode(data: bytes, draws: np.ndarray) -> None:
  """Decodes an image, and leaves it as it is."""
  del draws
  decode.decode(data)


def with_pil(data: bytes, draws: np.ndarray, size: int) -> np.ndarray:
  """Decodes and crops as we do, with PIL alone."""
  with PIL.Image.open(io.BytesIO(data)) as file:
    image = file.convert("RGB")
  top, left, height, width = decode.random_box(draws, image.height, image.width)
  cropped = image.resize(
    (size, size),
    PIL.Image.Resampling.BILINEAR,
    box=(left, top, left + width, top + height),
  )
  pixels = np.asarray(cropped)
  return pixels[:, ::-1].copy() if draws[-1] < 0.5 else pixels


def _work(
  stream_set: batches.StreamSet, steps: range
) -> list[tuple[bytes, np.ndarray]]:
  """Returns what our stream decodes in some steps, and the draws for it."""
  examples = stream_set.train
  work = []
  for step in steps:
    epoch, index = divmod(step, len(examples) // _BATCH)
    positions = range(index * _BATCH, (index + 1) * _BATCH)
    rows = order.epoch_order(len(examples), 0, epoch)[positions]
    draws = order.draws(0, epoch, positions)
    work += [(examples[int(row)]["image"], x) for row, x in zip(rows, draws)]
  return work


def _on_all(
  work: list[tuple[bytes, np.ndarray]],
  function: Callable[[bytes, np.ndarray], object],
) -> None:
  """Calls a function for all images, in a thread a core."""

  def some(first: int) -> None:
    for example in work[first :: _cores()]:
      function(*example)

  with futures.ThreadPoolExecutor(_cores()) as pool:
    list(pool.map(some, range(_cores())))


def _cores() -> int:
  """Returns the number of cores."""
  return os.cpu_count() or 1
