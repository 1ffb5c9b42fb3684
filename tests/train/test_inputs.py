"""Tests of making inputs of a batch, for training and for evaluation."""

import chex
import jax
import jax.numpy as jnp
import numpy as np

from mixup_jax.data import augment
from mixup_jax.data.in_memory import images
from mixup_jax.train import inputs


def small_set():
  rng = np.random.default_rng(0)
  return images.ImageSet(
    name="small",
    train_images=rng.integers(0, 256, (40, 8, 8, 3), np.uint8),
    train_labels=rng.integers(0, 3, 40).astype(np.int32),
    test_images=rng.integers(0, 256, (20, 8, 8, 3), np.uint8),
    test_labels=rng.integers(0, 3, 20).astype(np.int32),
    num_classes=3,
    mean=(0.5, 0.5, 0.5),
    std=(0.25, 0.25, 0.25),
    pad=1,
    flip=True,
  )


def table(k=4):
  """Returns neighbours that no image shares with the one before."""
  rows = np.arange(40, dtype=np.int32)[:, None]
  return (rows + 1 + np.arange(k, dtype=np.int32)) % 40


def test_resident_draws_partners_of_the_table_and_augments_them_alone():
  data = small_set()
  prepare = inputs.resident(data).prepare
  rows = np.arange(40, dtype=np.int32)
  batch = {
    "images": jnp.asarray(data.train_images),
    "labels": jnp.asarray(rows),  # So that a label is its row.
    "rows": jnp.asarray(rows),
    "neighbors": jnp.asarray(table()),
  }
  _, found = prepare(jax.random.key(0), batch)
  own, partner = found.reshape(40, 2).T
  chex.assert_trees_all_equal(np.asarray(own), rows)
  assert (table() == partner[:, None]).any(axis=1).all()
  assert len(set((np.asarray(partner) - rows).tolist()) - {-39, -38}) > 3
  # With a table of the images themselves only the augmentation differs.
  batch["neighbors"] = batch["rows"][:, None]
  pixels, _ = prepare(jax.random.key(0), batch)
  first, second = jnp.moveaxis(pixels.reshape(40, 2, *pixels.shape[1:]), 1, 0)
  same = (first == second).all(axis=(1, 2, 3))
  assert same.sum() < 10  # Of 3 x 3 shifts, mirrored or not.


def test_resident_draws_crops_and_flips():
  data = small_set()
  _, prepare, normalize, _ = inputs.resident(data)
  rows = np.arange(5, dtype=np.int32)
  batch = {
    "images": data.train_images,
    "labels": data.train_labels,
    "rows": rows,
  }
  pixels, labels = prepare(jax.random.key(3), batch)
  crop_key, flip_key = jax.random.split(jax.random.key(3))
  crops = augment.random_crop(crop_key, data.train_images[rows], padding=1)
  expected = augment.random_flip(flip_key, crops)
  chex.assert_trees_all_equal(pixels, expected)
  chex.assert_type(normalize(pixels), jnp.float32)
  chex.assert_trees_all_equal(labels, data.train_labels[rows])


def test_flat_takes_a_set_without_images():
  chex.assert_shape(inputs.flat(np.zeros((0, 4, 4, 3), np.uint8)), (0, 48))


def test_resident_fetches_rows_as_they_are():
  data = small_set()
  made = inputs.resident(data)
  rows = np.asarray([3, 1], np.int32)
  batch = {"images": data.test_images, "labels": data.test_labels, "rows": rows}
  found, labels = made.fetch(batch)
  expected = augment.normalize(
    data.test_images[rows], mean=data.mean, std=data.std
  )
  chex.assert_trees_all_equal(found, expected)
  chex.assert_trees_all_equal(labels, data.test_labels[rows])
  assert made.example.shape == (1, 8, 8, 3)
  assert made.example.dtype == jnp.float32


def test_streamed_changes_nothing_but_the_scale():
  data = small_set()
  made = inputs.streamed(8, mean=data.mean, std=data.std)
  batch = {"images": data.test_images, "labels": data.test_labels}
  pixels, labels = made.prepare(jax.random.key(0), batch)
  chex.assert_trees_all_equal(pixels, data.test_images)
  chex.assert_trees_all_equal(labels, data.test_labels)
  found, _ = made.fetch(batch)
  chex.assert_trees_all_equal(found, made.normalize(pixels))
  assert made.example.shape == (1, 8, 8, 3)
