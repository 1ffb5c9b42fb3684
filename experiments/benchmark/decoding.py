"""Images read, decoded and cropped: our stream, plain PIL, and the ceiling.

All use every core, on the same images and crops. The ceiling decodes and crops
with OpenCV what lies in memory already, and throws it away. On a machine that
others use, too, compare seconds of the processor, not those of the clock.
"""

from concurrent import futures
import io
import itertools
import os
import pathlib
import tempfile
import time
from typing import Callable

from absl import logging
import cv2
import numpy as np
import PIL.Image

from mixup_jax.data import prepare
from mixup_jax.data.streaming import batches
from mixup_jax.data.streaming import decode
from mixup_jax.data.streaming import order
from mixup_jax.results import format_table

_BATCH = 64
_GOAL = 0.85
# Images a second, of the clock and of the processor.
Rates = tuple[float, float]
Rate = Callable[[], Rates]


def table(turns: int, data_dir: str | None) -> str:
  """Measures images/s a core on all sets at hand, and returns the table."""
  logging.set_verbosity(logging.ERROR)  # TFDS logs each set it opens.
  with tempfile.TemporaryDirectory() as directory:
    write_images(pathlib.Path(directory) / "raw", train=128, val=1)
    prepare.prepare_folder("image_folder/smooth", f"{directory}/raw", directory)
    lines = _measure(
      batches.load("image_folder/smooth", directory), 224, turns, _GOAL
    )
  try:
    # Small images are mostly overhead: there is no goal for them.
    lines += _measure(batches.load("tiny_imagenet", data_dir), 64, turns, None)
  except FileNotFoundError as error:
    print(f"left out: {error}\n")
  header = [
    "images",
    "other",
    "ours /s/core",
    "other /s/core",
    "ratio",
    "CPU ratio",
    "goal",
  ]
  load = ", ".join(f"{x:.1f}" for x in os.getloadavg())
  return (
    format_table([[*header, "reached"], *lines])
    + f"\n{_cores()} cores, load {load}"
  )


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


def sides(stream_set: batches.StreamSet, size: int) -> dict[str, Rate]:
  """Returns for each way a function that measures its rates."""
  # From the third batch on, each is paid for before it comes.
  first, steps = 3, max(4, min(len(stream_set.train) // _BATCH, 8))
  work = _work(stream_set, range(first, first + steps))

  def ours() -> Rates:
    decoded = batches.train_batches(
      stream_set, seed=0, batch_size=_BATCH, image_size=size, workers=_cores()
    )
    for _ in range(first):
      next(decoded)
    start = _clocks()
    for _ in itertools.islice(decoded, steps):
      pass
    rates = _since(start, len(work))
    del decoded  # Else its threads would work on.
    return rates

  def other(function: Callable[[bytes, np.ndarray], np.ndarray]) -> Rate:
    return lambda: _rate(function, work)

  return {
    "ours": ours,
    "decoding and cropping, from memory": other(
      lambda x, row: decode.train_image(decode.decode(x), row, size=size)
    ),
    "decoding alone, from memory": other(lambda x, row: decode.decode(x)),
    "PIL, from memory": other(lambda x, row: with_pil(x, row, size)),
  }


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


def _rate(
  function: Callable[[bytes, np.ndarray], np.ndarray],
  work: list[tuple[bytes, np.ndarray]],
) -> Rates:
  """Measures the rates of a function that every core calls."""

  def some(first: int) -> None:
    for example in work[first :: _cores()]:
      function(*example)

  with futures.ThreadPoolExecutor(_cores()) as pool:
    start = _clocks()
    list(pool.map(some, range(_cores())))
    return _since(start, len(work))


def _clocks() -> Rates:
  """Reads the clock, and that of the processor."""
  return time.perf_counter(), time.process_time()


def _since(start: Rates, images: int) -> Rates:
  """Returns images a second since both clocks were read."""
  wall, cpu = (end - begin for end, begin in zip(_clocks(), start))
  return images / wall, images / cpu


def _measure(
  stream_set: batches.StreamSet, size: int, turns: int, goal: float | None
) -> list[list[str]]:
  """Measures all sides alternately, and returns the lines of the table."""
  ways = sides(stream_set, size)
  # [turns, ways, clocks]
  rates = (
    np.array([[rate() for rate in ways.values()] for _ in range(turns)])
    / _cores()
  )
  ours, lines = rates[:, 0], []
  for name, other in list(zip(ways, rates.swapaxes(0, 1)))[1:]:
    ratio, cpu_ratio = np.median(ours / other, 0)
    aim = goal if name.startswith("decoding and") else None
    lines.append(
      [
        f"{stream_set.name.removeprefix('image_folder/')} at {size}",
        name,
        f"{np.median(ours[:, 0]):.0f}",
        f"{np.median(other[:, 0]):.0f}",
        f"{ratio:.2f}",
        f"{cpu_ratio:.2f}",
        "" if aim is None else f"{aim:.2f}",
        "" if aim is None else "yes" if ratio >= aim else "no",
      ]
    )
  return lines


def _cores() -> int:
  """Returns the number of cores."""
  return os.cpu_count() or 1
