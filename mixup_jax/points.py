"""Points of the plane inside a result: small integers as text."""

import base64

import numpy as np

_UNIT = 1e-3  # Numbers from -32.8 to 32.8; what is beyond is put there.
_TYPE = np.dtype("<i2")


def encode(points: np.ndarray) -> str:
  """Returns `[points, 2]` floats, in thousandths, as text."""
  lowest, highest = np.iinfo(_TYPE).min, np.iinfo(_TYPE).max
  near = np.clip(np.nan_to_num(points), lowest * _UNIT, highest * _UNIT)
  return base64.b64encode(
    np.rint(near / _UNIT).astype(_TYPE).tobytes()
  ).decode()


def decode(text: str) -> np.ndarray:
  """Returns the points that `encode` was given, rounded."""
  whole = np.frombuffer(base64.b64decode(text), _TYPE)
  return whole.reshape(-1, 2) * _UNIT
