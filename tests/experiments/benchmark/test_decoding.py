"""Tests that all sides do the same work; never how fast."""

import collections
import threading

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
    ours = np.empty((224, 224, 3), np.uint8)
    decode.train_image(decode.decode(data), row, out=ours)
    theirs = decoding.with_pil(data, row, 224)
    assert theirs.shape == ours.shape and theirs.dtype == ours.dtype
    # PIL smooths what it makes smaller: noise of one pixel differs.
    assert np.abs(ours.astype(int) - theirs).mean() < 6


def test_compared_gives_all_sides_the_images_of_the_stream(folder):
  data = (folder / "train" / "smooth" / "0000.jpg").read_bytes()
  few = batches.StreamSet(
    "few", 1, ("smooth",), [{"image": data, "label": 0}] * 64, []
  )
  with decoding.compared(few, 32, goal=0.8) as cases:
    assert [case.against.key for case in cases] == ["decoder", "crop", "pil"]
    assert {case.name for case in cases} == {"512 images of few, to 32x32"}
    assert {case.goal for case in cases} == {1.25}
    cases[0].ours()
    for case in cases:
      case.other()
  assert not [t for t in threading.enumerate() if t.name.startswith("input")]


def test_compared_decodes_what_the_stream_decodes(monkeypatch):
  seen = []
  monkeypatch.setattr(
    decode, "decode", lambda x: seen.append(x) or np.zeros((8, 8, 3), np.uint8)
  )
  examples = [{"image": i, "label": 0} for i in range(70)]
  few = batches.StreamSet("few", 1, ("a",), examples, [])
  with decoding.compared(few, 8, goal=0.8) as cases:
    cases[0].other()
    others, seen[:] = sorted(seen), []
    cases[0].ours()
    # The stream is up to three batches ahead.
    ours = sorted(seen)
  assert len(others) == 512
  assert not collections.Counter(others) - collections.Counter(ours)
