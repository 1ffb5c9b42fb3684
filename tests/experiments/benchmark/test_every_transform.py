"""Tests that every transform is measured beside all others; never how fast."""

import jax
import jax.numpy as jnp
import pytest

from experiments.benchmark import every_transform
from experiments.benchmark import peers
from experiments.benchmark import timing
from mixup_jax import transforms
from tests.every_transform import TRANSFORMS

SHAPE = (16, 2, 2, 1)


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
  """Runs nothing twice: the times are made up, 3 s ours, 2 s all others."""

  def measure(cases, *, rounds=1, **_):
    return [
      timing.Measured(case, (3.0,) * rounds, (2.0,) * rounds, (1.5,) * rounds)
      for case in cases
    ]

  monkeypatch.setattr(timing, "measure", measure)


def test_transforms_are_all_that_are_public():
  names = {name.partition(",")[0] for name in TRANSFORMS}
  names -= {name for name in names if "plain function" in name}
  assert names | {"paired"} <= set(every_transform.TRANSFORMS)


def test_table_has_a_line_for_a_peer_that_is_not_installed(monkeypatch):
  few = {k: every_transform.TRANSFORMS[k] for k in ("mixup", "regmixup")}
  monkeypatch.setattr(every_transform, "TRANSFORMS", few)
  text, measured = every_transform.table({}, shapes=(SHAPE,), rounds=2)
  found = {(each.case.name, each.case.against): each for each in measured}
  sides = [peers.METHODS[name] for name in ("torchvision", "timm", "keras")]
  assert set(found) == {
    ("mixup 16x2x2x1", side) for side in (every_transform.FLOOR, *sides)
  } | {("regmixup 16x2x2x1", every_transform.FLOOR)}
  assert text.count("not installed") == 3
  result = timing.result(measured, "wall")
  assert {row["n"] for row in result["rows"]} == {0, 2}


def test_table_takes_the_floor_of_the_bytes_of_a_product(monkeypatch):
  """regmixup writes twice the images, so that its floor is 3 / 2, and ids."""
  few = {"regmixup": every_transform.TRANSFORMS["regmixup"]}
  monkeypatch.setattr(every_transform, "TRANSFORMS", few)
  _, (floor,) = every_transform.table({}, shapes=((16, 8, 8, 3),))
  images, vectors = 16 * 8 * 8 * 3 * 4, 16 * 4
  share = (3 * images + 5 * vectors) / (2 * images)
  assert floor.ours == (3.0,)
  assert floor.other == pytest.approx((2.0 * share,))
  assert floor.ratio == pytest.approx((1.5 / share,))


@pytest.mark.parametrize(
  "name", ("manifold", *(k for k in every_transform.TRANSFORMS if "," in k))
)
def test_transforms_with_more_than_options_mix_as_mixup_does(name):
  images, labels = jnp.zeros(SHAPE), jnp.arange(16, dtype=jnp.int32)
  transform = every_transform.TRANSFORMS[name]
  mixed, targets = jax.eval_shape(transform, jax.random.key(0), images, labels)
  assert (mixed.shape, mixed.dtype) == (SHAPE, jnp.float32)
  if "similar" not in name and "union" not in name:
    assert isinstance(targets, transforms.MixedLabels)


def test_moved_bytes_are_of_images_read_and_of_results():
  images, labels = jnp.zeros(SHAPE), jnp.arange(16, dtype=jnp.int32)

  def moved(name):
    transform = every_transform.TRANSFORMS[name]
    return every_transform.moved_bytes(transform, images, labels)

  assert moved("mixup") == 2 * images.nbytes + 3 * labels.nbytes
  soft = 16 * peers.CLASSES * 4
  assert moved("label_smoothing") == 2 * images.nbytes + soft
  assert moved("paired") == 1.5 * images.nbytes + 3 * 8 * 4
