"""Small pictures inside a result: PNG files as text."""

import base64
import io

import numpy as np
import PIL.Image


def encode(pixels: np.ndarray) -> str:
  """Returns `[height, width]` or `[height, width, 3]` uint8 pixels as text."""
  file = io.BytesIO()
  PIL.Image.fromarray(pixels).save(file, format="PNG", optimize=True)
  return base64.b64encode(file.getvalue()).decode()


def decode(text: str) -> np.ndarray:
  """Returns the uint8 pixels that `encode` was given."""
  return np.asarray(PIL.Image.open(io.BytesIO(base64.b64decode(text))))
