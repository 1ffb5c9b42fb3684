"""Tests that all sides do the same work; never how fast."""

import numpy as np
import PIL.Image
import pytest

from experiments.benchmark import decoding
from mixup_jax.data.streaming import batches
from mixup_jax.data.streaming import decode
from mixup_jax.data.streaming import order


@pytest.fixture(scope="module", name="folder")
def written(tmp_path_factory):
  """Returns a folder with two images."""
  folder = tmp_path_factory.mktemp("raw")
  decoding.write_images(folder, train=2, val=1)
  return folder


def test_write_images_makes_files_of_the_size_of_imagenets(folder):
  paths = sorted(folder.rglob("*.jpg"))
  assert len(paths) == 3
  for path in paths:
    assert 40_000 < path.stat().st_size < 110_000
    with PIL.Image.open(path) as image:
      assert image.size == (500, 375)


def test_with_pil_shows_the_same_as_train_image(folder):
  data = (folder / "train" / "smooth" / "0000.jpg").read_bytes()
  for row in order.draws(0, 0, range(6)):
    ours = decode.train_image(decode.decode(data), row, size=224)
    theirs = decoding.with_pil(data, row, 224)
    assert theirs.shape == ours.shape and theirs.dtype == ours.dtype
    # PIL smooths what it makes smaller: noise of one pixel differs.
    assert np.abs(ours.astype(int) - theirs).mean() < 6


def test_sides_return_a_rate_each(folder):
  data = (folder / "train" / "smooth" / "0000.jpg").read_bytes()
  few = batches.StreamSet(
    "few", 1, ("smooth",), [{"image": data, "label": 0}] * 64, []
  )
  rates = {name: rate() for name, rate in decoding.sides(few, 32).items()}
  assert len(rates) == 4 and list(rates)[0] == "ours"
  assert all(len(pair) == 2 and min(pair) > 0 for pair in rates.values())
