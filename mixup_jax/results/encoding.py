"""Images and points of the plane as text, to be stored in a result."""

import base64
import io
from typing import Sequence

import numpy as np
import PIL.Image

_UNIT = 1e-3  # Points are stored in thousandths, from -32.8 to 32.8.
_TYPE = np.dtype("<i2")


def encode_png(pixels: np.ndarray) -> str:
  """Returns `[height, width]` or `[height, width, 3]` uint8 pixels as text."""
  file = io.BytesIO()
  PIL.Image.fromarray(pixels).save(file, format="PNG", optimize=True)
  return base64.b64encode(file.getvalue()).decode()


def decode_png(text: str) -> np.ndarray:
  """Returns the uint8 pixels of a text that `encode_png` returned."""
  return np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(text))))


def encode_points(points: np.ndarray) -> str:
  """Returns `[points, 2]` floats as text, clipped to +-32.8; NaN is 0."""
  lowest, highest = np.iinfo(_TYPE).min, np.iinfo(_TYPE).max
  near = np.clip(np.nan_to_num(points), lowest * _UNIT, highest * _UNIT)
  whole = np.rint(near / _UNIT).astype(_TYPE)
  return base64.b64encode(whole.tobytes()).decode()


def decode_points(text: str) -> np.ndarray:
  """Returns the points of a text that `encode_points` returned, rounded."""
  whole = np.frombuffer(base64.b64decode(text), _TYPE)
  return whole.reshape(-1, 2) * _UNIT


def tile_images(rows: Sequence[np.ndarray]) -> np.ndarray:
  """Tiles images, each in a white frame.

  Args:
    rows: For each row, `[columns, height, width, channels]` pixels, clipped to
      0 to 255.

  Returns:
    `[height, width]` uint8 pixels of one channel, else `[height, width, 3]`.
  """
  frame = ((0, 0), (1, 1), (1, 1), (0, 0))
  lines = [
    np.concatenate(list(np.pad(row, frame, constant_values=255)), axis=1)
    for row in rows
  ]
  whole = np.rint(np.clip(np.concatenate(lines), 0, 255)).astype(np.uint8)
  return whole[..., 0] if whole.shape[-1] == 1 else whole
