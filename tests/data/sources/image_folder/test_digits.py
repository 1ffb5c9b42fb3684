"""Tests of the digits as image files."""

import io

import numpy as np
import PIL.Image

from mixup_jax.data.in_memory import images
from mixup_jax.data.sources.image_folder import digits
from mixup_jax.data.streaming import batches


def test_load_encodes_the_digits():
  data, expected = batches.load("digits"), images.load("digits")
  assert data is digits.load() and data.num_classes == 10
  assert (len(data.train), len(data.validation)) == (1437, 360)
  for row in (0, 100, 359):
    example = data.validation[row]
    assert example["label"] == expected.test_labels[row]
    image = PIL.Image.open(io.BytesIO(example["image"]))
    assert image.format == "JPEG" and image.size == (32, 32)
    small = np.asarray(image.resize((8, 8), PIL.Image.Resampling.BOX))
    difference = np.float32(small) - expected.test_images[row, ..., 0]
    assert np.abs(difference).mean() < 20


def test_load_returns_a_set_that_streams():
  batch = next(
    batches.train_batches(
      batches.load("digits"), seed=0, batch_size=8, image_size=16, workers=0
    )
  )
  assert batch["images"].shape == (8, 16, 16, 3)
  assert batch["images"].std() > 20
