"""The digits of scikit-learn as image files, to stream without a download."""

import functools
import io

import numpy as np
import PIL.Image

from mixup_jax.data.in_memory import images
from mixup_jax.data.streaming import datasets

SIZE = 32  # Of the files; the digits have 8 x 8 pixels.


@functools.cache
def load() -> datasets.StreamSet:
  """Returns 1,437 files to train on and 360 to validate with, in memory.

  Returns:
    The set, of grey JPEG files.
  """
  digits = images.load("digits")
  classes = tuple(map(str, range(digits.num_classes)))
  return datasets.StreamSet(
    "digits",
    len(classes),
    classes,
    _files(digits.train_images, digits.train_labels),
    _files(digits.test_images, digits.test_labels),
  )


def _files(pixels: np.ndarray, labels: np.ndarray) -> list[dict[str, object]]:
  """Encodes each image."""
  return [
    {
      "image": _encode(image[..., 0]),
      "label": int(label),
      "file_name": f"{row}.jpg",
    }
    for row, (image, label) in enumerate(zip(pixels, labels))
  ]


def _encode(pixels: np.ndarray) -> bytes:
  """Returns an enlarged image as a file."""
  image = PIL.Image.fromarray(pixels).resize((SIZE, SIZE))
  file = io.BytesIO()
  image.save(file, format="JPEG", quality=90)
  return file.getvalue()
