"""Tests of augmentation by brute force, and of its collectives."""

import functools
import re

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import sharding
from mixup_jax.data import augment

CIFAR = {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2023, 0.1994, 0.2010)}


def _images(*shape, low=1, seed=0):
  return np.random.default_rng(seed).integers(low, 256, shape, np.uint8)


def _shifts(images, cropped, padding):
  """Returns the offset of each crop in its padded image."""
  size = images.shape[1:3]
  padded = np.pad(images, ((0, 0), *[(padding, padding)] * 2, (0, 0)))
  found = np.full((len(images), 2), -1)
  for y in range(2 * padding + 1):
    for x in range(2 * padding + 1):
      window = padded[:, y : y + size[0], x : x + size[1]]
      same = (window == np.asarray(cropped)).all((1, 2, 3))
      assert (found[same] == -1).all()
      found[same] = y, x
  assert (found >= 0).all()
  return found


@pytest.mark.parametrize(
  "shape, padding",
  [((32, 8, 6, 3), 2), ((16, 32, 32, 3), 4), ((16, 5, 7, 1), 1)],
)
def test_random_crop_is_a_window_of_the_padded_image(getkey, shape, padding):
  images = _images(*shape)
  cropped = augment.random_crop(getkey(), jnp.asarray(images), padding=padding)
  chex.assert_shape(cropped, shape)
  assert cropped.dtype == jnp.uint8
  _shifts(images, cropped, padding)


def test_random_crop_is_uniform(getkey):
  images = _images(1, 4, 4, 1).repeat(8100, axis=0)
  crop = jax.jit(augment.random_crop, static_argnames="padding")
  shifts = _shifts(images, crop(getkey(), images, padding=1), 1)
  counts = np.bincount(shifts @ [3, 1], minlength=9)
  # Chi-square with 8 degrees of freedom: 26 has probability 1 / 1000.
  assert ((counts - 900) ** 2 / 900).sum() < 26


def test_random_crop_without_padding_changes_nothing(getkey):
  images = _images(4, 8, 8, 3)
  cropped = augment.random_crop(getkey(), jnp.asarray(images), padding=0)
  chex.assert_trees_all_equal(cropped, images)
  with pytest.raises(ValueError, match=r"padding \(-1\) must be at least 0"):
    augment.random_crop(getkey(), jnp.asarray(images), padding=-1)


def test_random_flip_mirrors_half_of_the_images(getkey):
  images = _images(4000, 2, 5, 3)
  flipped = augment.random_flip(getkey(), jnp.asarray(images))
  assert flipped.dtype == jnp.uint8
  is_flipped = (np.asarray(flipped) == images[:, :, ::-1]).all((1, 2, 3))
  np.testing.assert_array_equal(flipped[~is_flipped], images[~is_flipped])
  assert abs(is_flipped.mean() - 0.5) < 4 * 0.5 / 4000**0.5


def test_normalize_equals_the_formula():
  images = _images(4, 8, 8, 3, low=0)
  found = augment.normalize(jnp.asarray(images), **CIFAR)
  expected = (images / 255 - CIFAR["mean"]) / CIFAR["std"]
  assert found.dtype == jnp.float32
  np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_random_crop_pads_with_black(getkey):
  white = jnp.full((64, 8, 8, 3), 255, jnp.uint8)
  images = augment.normalize(
    augment.random_crop(getkey(), white, padding=2), **CIFAR
  )
  mean, std = np.asarray(CIFAR["mean"]), np.asarray(CIFAR["std"])
  for channel in range(3):
    values = np.unique(images[..., channel])
    expected = [-mean[channel], 1 - mean[channel]] / std[channel]
    np.testing.assert_allclose(values, expected, rtol=1e-5)


def test_normalize_refuses_floats_and_wrong_channels():
  with pytest.raises(ValueError, match="float32, expected uint8"):
    augment.normalize(jnp.ones((1, 2, 2, 3)), **CIFAR)
  with pytest.raises(ValueError, match="3 numbers .* each of the 1 channels"):
    augment.normalize(jnp.ones((1, 2, 2, 1), jnp.uint8), **CIFAR)


def _augmented(key, images, rows):
  crop_key, flip_key = jax.random.split(key)
  batch = augment.random_crop(crop_key, images[rows], padding=4)
  return augment.normalize(augment.random_flip(flip_key, batch), **CIFAR)


def _collectives(function, mesh):
  arguments = [
    jax.eval_shape(lambda: jax.random.key(0)),
    jax.ShapeDtypeStruct(
      (256, 32, 32, 3), jnp.uint8, sharding=sharding.replicated(mesh)
    ),
    jax.ShapeDtypeStruct((64,), jnp.int32, sharding=sharding.sharded(mesh)),
  ]
  text = jax.jit(function).lower(*arguments).compile().as_text()
  return set(
    re.findall(
      r" (all-gather|all-to-all|all-reduce|collective-\w+|reduce-scatter)"
      r"(?:-start)?\(",
      text,
    )
  )


def test_random_crop_and_flip_of_a_sharded_batch_need_no_collective():
  mesh = sharding.make_mesh()
  assert mesh.size == 8
  assert not _collectives(_augmented, mesh)

  # The search finds a collective where there is one.
  def mixed(key, images, rows):
    return _augmented(key, images, rows)[::-1]

  assert _collectives(mixed, mesh)


def test_random_crop_and_flip_do_not_depend_on_devices(getkey):
  key, images = getkey(), jnp.asarray(_images(256, 32, 32, 3))
  rows = jax.random.permutation(getkey(), 256)[:64]
  results = []
  for count in 1, 2, 8:
    mesh = sharding.make_mesh(jax.devices()[:count])
    results.append(
      jax.jit(_augmented)(
        jax.random.clone(key),
        jax.device_put(images, sharding.replicated(mesh)),
        jax.device_put(rows, sharding.sharded(mesh)),
      )
    )
    assert len(results[-1].devices()) == count
  chex.assert_trees_all_equal(*results)


def test_random_crop_and_flip_depend_on_the_key_and_not_on_x64(getkey):
  images = jnp.asarray(_images(64, 8, 8, 3))
  key, other = getkey(), getkey()
  for function in (
    augment.random_flip,
    functools.partial(augment.random_crop, padding=2),
  ):
    draw = jax.jit(function)
    first = draw(jax.random.clone(key), images)
    assert not jnp.array_equal(first, draw(jax.random.clone(other), images))
    with jax.enable_x64(True):
      wide = draw(jax.random.clone(key), images)
    chex.assert_trees_all_equal(wide, first)


def test_standardize_equals_normalize_of_bytes():
  images = np.arange(48, dtype=np.uint8).reshape(1, 4, 4, 3) * 5
  constants = {"mean": (0.1, 0.2, 0.3), "std": (0.4, 0.5, 0.6)}
  chex.assert_trees_all_equal(
    augment.standardize(jnp.asarray(images, jnp.float32), **constants),
    augment.normalize(jnp.asarray(images), **constants),
  )
