"""Tests that other libraries are called for what ours does."""

import sys

import numpy as np
import pytest

from experiments.benchmark import every_transform
from experiments.benchmark import peers

IMAGES = np.random.default_rng(0).normal(size=(4, 6, 6, 3)).astype(np.float32)


def test_load_leaves_out_what_cannot_be_imported(monkeypatch, capsys):
  class Broken:
    """What a torchvision of another release than PyTorch's does."""

    def find_spec(self, name, *_):
      if name == "timm":
        raise RuntimeError("operator torchvision::nms does not exist")
      if name in ("torch", "torchvision", "keras"):
        raise ImportError(f"No module named {name!r}")

  monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
  for name in ("torch", *peers.METHODS):
    monkeypatch.delitem(sys.modules, name, raising=False)
  assert peers.load() == {}
  printed = capsys.readouterr().out
  assert "without keras: No module named 'keras'" in printed
  assert "without timm: operator torchvision::nms does not exist" in printed


def test_sides_have_nothing_to_time_for_what_is_not_installed():
  assert peers.sides({}, "cutmix", IMAGES) == dict.fromkeys(
    peers.METHODS.values()
  )
  assert peers.sides({}, "regmixup", IMAGES) == {}


def test_have_names_transforms_of_ours():
  for names in peers.HAVE.values():
    assert set(names) <= set(every_transform.TRANSFORMS)


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")
@pytest.mark.parametrize("library", peers.METHODS)
def test_sides_make_as_many_images_and_soft_labels(library):
  libraries = {
    name: pytest.importorskip(name, reason="needs the benchmark extra")
    for name in dict.fromkeys(("torch", library))
  }
  for name in peers.HAVE[library]:
    thunk = peers.sides(libraries, name, IMAGES)[peers.METHODS[library]]
    made = thunk()
    if name == "gaussian_noise":
      assert tuple(made.shape) in (IMAGES.shape, (4, 3, 6, 6))
      continue
    images, labels = made.values() if isinstance(made, dict) else made
    assert tuple(images.shape) in (IMAGES.shape, (4, 3, 6, 6))
    assert tuple(labels.shape) == (4, peers.CLASSES)
    np.testing.assert_allclose(np.asarray(labels).sum(1), 1, rtol=1e-5)
