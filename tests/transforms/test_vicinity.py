"""Tests of the vicinities that the paper compares mixup with."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms


def test_gaussian_noise_has_its_standard_deviation_and_keeps_targets(getkey):
  inputs = {"a": jnp.ones((64, 500)), "b": jnp.zeros((64, 500))}
  labels = jnp.arange(64)
  noisy, targets = transforms.gaussian_noise(
    getkey(), inputs, labels, sigma=0.2
  )
  noise = jax.tree.map(jnp.subtract, noisy, inputs)
  for leaf in jax.tree.leaves(noise):
    assert abs(leaf.std() - 0.2) < 0.005
    assert abs(leaf.mean()) < 0.005
  assert abs(jnp.corrcoef(noise["a"].ravel(), noise["b"].ravel())[0, 1]) < 0.03
  chex.assert_trees_all_equal(targets, labels)


def test_gaussian_noise_keeps_the_dtype(getkey):
  noisy, _ = transforms.gaussian_noise(
    getkey(), jnp.ones((4, 3), jnp.bfloat16), jnp.arange(4), sigma=1.0
  )
  chex.assert_type(noisy, jnp.bfloat16)


def test_gaussian_noise_takes_what_mixup_takes(getkey, recwarn):
  """Float64 of NumPy, in silence, and numbers."""
  noisy, _ = transforms.gaussian_noise(
    getkey(), [np.ones(2), 1.0], None, sigma=0.0
  )
  chex.assert_trees_all_equal(noisy, [jnp.ones(2), jnp.float32(1.0)])
  assert not recwarn.list


@pytest.mark.parametrize("epsilon", (0.0, 0.05, 0.4))
def test_label_smoothing_equals_the_formula_of_the_paper(getkey, epsilon):
  """Wrong classes have epsilon / 10, the right one 1 - 9 epsilon / 10."""
  x, soft = transforms.label_smoothing(
    getkey(),
    jnp.ones((3, 2)),
    jnp.asarray([0, 4, 9]),
    epsilon=epsilon,
    num_classes=10,
  )
  chex.assert_trees_all_equal(x, jnp.ones((3, 2)))
  chex.assert_trees_all_close(soft[1, 4], 1 - 9 * epsilon / 10, rtol=1e-6)
  chex.assert_trees_all_close(soft[1, 0], epsilon / 10, rtol=1e-6)


def test_label_smoothing_takes_every_kind_of_label(getkey):
  def smooth(targets):
    return transforms.label_smoothing(
      getkey(), (), targets, epsilon=0.1, num_classes=3
    )[1]

  ids = jnp.asarray([0, 2])
  mixed = transforms.MixedLabels(ids, ids, jnp.float32(0.3))
  chex.assert_trees_all_close(smooth(ids), smooth(jnp.eye(3)[ids]), rtol=1e-6)
  chex.assert_trees_all_close(smooth(ids), smooth(mixed), rtol=1e-6)


def test_inputs_only_keeps_the_nearer_label(getkey):
  labels = jnp.arange(32)
  x, targets = transforms.inputs_only(
    getkey(), jnp.eye(32), labels, alpha=1.0, per_example=True
  )
  chex.assert_type(targets, labels.dtype)
  chex.assert_trees_all_equal(
    jnp.argmax(x, axis=1).astype(labels.dtype), targets
  )
  assert jnp.any(targets != labels) and jnp.any(targets == labels)


def test_inputs_only_takes_trees_of_any_dtype(getkey):
  targets = {"flag": jnp.asarray([True, False, True]), "soft": jnp.eye(3)}
  _, hard = transforms.inputs_only(getkey(), jnp.eye(3), targets, alpha=1.0)
  chex.assert_trees_all_equal_shapes_and_dtypes(hard, targets)
  chex.assert_trees_all_close(hard["soft"].sum(-1), jnp.ones(3))


def test_inputs_with_smoothing_composes_both(getkey):
  x, soft = transforms.inputs_with_smoothing(
    getkey(),
    jnp.eye(8),
    jnp.arange(8),
    alpha=1.0,
    epsilon=0.2,
    num_classes=8,
    per_example=True,
  )
  chex.assert_trees_all_equal(jnp.argmax(soft, 1), jnp.argmax(x, 1))
  chex.assert_trees_all_close(soft.max(1), jnp.full(8, 0.825), rtol=1e-5)


def test_gaussian_noise_and_label_smoothing_refuse_bad_values(getkey):
  x, y = jnp.ones((4, 2)), jnp.arange(4)
  with pytest.raises(ValueError, match="sigma must be .* got -1"):
    transforms.gaussian_noise(getkey(), x, y, sigma=-1.0)
  with pytest.raises(TypeError, match=r"add noise to int32 .* at \['id'\]: "):
    transforms.gaussian_noise(getkey(), {"id": y}, y, sigma=1.0)
  with pytest.raises(ValueError, match="epsilon must be from 0 to 1, got 1.5"):
    transforms.label_smoothing(getkey(), x, y, epsilon=1.5, num_classes=4)


@pytest.mark.parametrize("classes", (2, 5))
def test_label_smoothing_refuses_another_number_of_classes(getkey, classes):
  targets = jnp.eye(3)
  with pytest.raises(ValueError, match=f"have 3 classes, got .*={classes}"):
    transforms.label_smoothing(
      getkey(), targets, targets, epsilon=0.1, num_classes=classes
    )
