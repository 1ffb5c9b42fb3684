"""Tests of the neighbour search against an exhaustive one."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.spatial.distance
import sklearn.neighbors

from mixup_jax import transforms


@pytest.mark.parametrize("chunk_size", (1, 7, 64, 1000))
def test_nearest_neighbors_equal_an_exhaustive_search(chunk_size):
  points = np.random.default_rng(0).normal(size=(60, 5)) + 100
  found = transforms.nearest_neighbors(
    jnp.asarray(points, jnp.float32), k=4, chunk_size=chunk_size
  )
  search = sklearn.neighbors.NearestNeighbors(n_neighbors=4).fit(points)
  expected = search.kneighbors(return_distance=False)
  chex.assert_trees_all_equal(np.asarray(found), expected.astype(np.int32))


def test_nearest_neighbors_with_labels_stay_in_the_class():
  rng = np.random.default_rng(1)
  points, labels = rng.normal(size=(30, 3)), rng.integers(0, 3, 30)
  found = np.asarray(
    transforms.nearest_neighbors(
      jnp.asarray(points, jnp.float32), k=3, labels=jnp.asarray(labels)
    )
  )
  distances = scipy.spatial.distance.cdist(points, points)
  distances[labels[:, None] != labels] = np.inf
  np.fill_diagonal(distances, np.inf)
  chex.assert_trees_all_equal(found, np.argsort(distances)[:, :3])


def test_nearest_neighbors_fill_small_classes_with_the_example_itself():
  found = transforms.nearest_neighbors(
    jnp.arange(5.0)[:, None], k=2, labels=jnp.asarray([0, 0, 1, 1, 1])
  )
  chex.assert_trees_all_equal(
    np.asarray(found), np.array([[1, 0], [0, 1], [3, 4], [2, 4], [3, 2]])
  )


def test_nearest_neighbors_flatten_integer_images(getkey):
  images = jax.random.randint(getkey(), (20, 4, 4, 3), 0, 256, jnp.uint8)
  flat = images.reshape(20, -1).astype(jnp.float32)
  chex.assert_trees_all_equal(
    transforms.nearest_neighbors(images, k=3),
    transforms.nearest_neighbors(flat, k=3),
  )


@pytest.mark.parametrize("value", (np.nan, np.inf, -np.inf))
def test_nearest_neighbors_count_what_is_not_finite_as_0(value):
  points = np.random.default_rng(3).normal(size=(20, 3)).astype(np.float32)
  points[4, 1] = 0
  labels = np.arange(20) % 2
  expected = transforms.nearest_neighbors(points, k=3, labels=labels)
  points[4, 1] = value
  found = transforms.nearest_neighbors(points, k=3, labels=labels)
  chex.assert_trees_all_equal(found, expected)
  assert (np.asarray(found) != np.arange(20)[:, None]).all()


def test_nearest_neighbors_memory_is_not_quadratic():
  """Reads the memory of a compiled search, k = 200 over 50,000 x 3,072."""
  inputs = jax.ShapeDtypeStruct((50_000, 3_072), jnp.uint8)
  search = jax.jit(lambda x: transforms.nearest_neighbors(x, k=200))
  compiled = search.lower(inputs).compile()
  temporaries = compiled.memory_analysis().temp_size_in_bytes
  assert temporaries < 2.5e9  # A 50,000 x 50,000 matrix would take 10 GB.


def test_draw_neighbors_is_uniform(getkey):
  table = jnp.asarray([[3, 1], [2, 0], [1, 3], [0, 2]])
  keys = jax.random.split(getkey(), 2000)
  draws = jax.vmap(lambda k: transforms.draw_neighbors(k, table))(keys)
  share = (draws == table[None, :, 0]).mean(0)
  assert jnp.all((draws == table[None, :, 0]) | (draws == table[None, :, 1]))
  assert jnp.all(jnp.abs(share - 0.5) < 0.06)


def test_nearest_partners_are_neighbors(getkey):
  inputs = jax.random.normal(getkey(), (32, 6))
  table = transforms.nearest_neighbors(inputs, k=5)
  partner = transforms.nearest_partners(getkey(), inputs, k=5)
  chex.assert_type(partner, jnp.int32)
  assert jnp.all(jnp.any(table == partner[:, None], axis=1))


@pytest.mark.parametrize("k", (0, 10, -1))
def test_nearest_neighbors_refuse_a_wrong_k(k):
  with pytest.raises(ValueError, match=f"k must be from 1 to 9 .* got {k}"):
    transforms.nearest_neighbors(jnp.ones((10, 2)), k=k)
