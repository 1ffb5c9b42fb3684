"""Tests of FMix against NumPy."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms
from mixup_jax.transforms import _fmix

BATCH = 5


def by_numpy(parts, height, width, decay):
  """Makes noise of normal numbers, `[2, height, width // 2 + 1]`."""
  spectrum = np.zeros((height, width // 2 + 1), complex)
  for row in range(height):
    y = row / height if row < (height + 1) // 2 else row / height - 1
    for column in range(width // 2 + 1):
      frequency = max(
        np.sqrt(y**2 + (column / width) ** 2), 1 / max(height, width)
      )
      damping = (frequency * max(height, width)) ** -decay
      spectrum[row, column] = damping * complex(*parts[:, row, column])
  return np.fft.irfft2(spectrum, (height, width))


@pytest.mark.parametrize("height, width", ((6, 9), (7, 4), (1, 12)))
def test_fmix_noise_is_that_of_numpy(height, width):
  key = jax.random.key(1)
  made = _fmix._low_frequency_noise(
    jax.random.clone(key), (), height=height, width=width, decay=3.0
  )
  parts = jax.random.normal(key, (2, height, width // 2 + 1))
  np.testing.assert_allclose(
    made, by_numpy(np.asarray(parts), height, width, 3), atol=1e-5
  )


@pytest.mark.parametrize("dtype", (np.uint8, np.float32))
def test_fmix_keeps_the_largest_noise_and_weighs_labels_by_it(dtype):
  images = np.arange(BATCH, dtype=dtype)[:, None, None, None]
  images = np.broadcast_to(images, (BATCH, 8, 7, 2))
  labels = np.arange(BATCH, dtype=np.int32)
  run = jax.jit(functools.partial(transforms.fmix, alpha=1.0, per_example=True))
  key = jax.random.key(4)
  mixed, targets = run(jax.random.clone(key), images, labels)
  assert mixed.dtype == dtype
  # What it draws, once more.
  mix_key, noise_key = jax.random.split(key)
  mix = transforms.sample_mix(mix_key, BATCH, alpha=1.0, per_example=True)
  noise = np.asarray(
    _fmix._low_frequency_noise(
      noise_key, (BATCH,), height=8, width=7, decay=3.0
    )
  )
  np.testing.assert_array_equal(targets.partner_labels, mix.partner)
  for row in range(BATCH):
    count = round(float(mix.lam[row]) * 56)
    kept = np.zeros(56, bool)
    kept[np.argsort(-noise[row].ravel())[:count]] = True
    kept = kept.reshape(8, 7, 1)
    expected = np.where(kept, images[row], images[mix.partner[row]])
    np.testing.assert_array_equal(mixed[row], expected)
    np.testing.assert_allclose(targets.lam[row], count / 56, rtol=1e-6)
  assert len(set(np.asarray(targets.lam).tolist())) > 2


def test_fmix_regions_are_fewer_the_larger_the_decay():
  """Of white noise half of the neighbours differ, of smooth noise few."""
  images = np.broadcast_to(
    np.arange(2, dtype=np.int32)[:, None, None], (2, 32, 32)
  )

  @jax.jit
  def borders(key, decay):
    mixed, _ = transforms.fmix(
      key,
      images,
      np.arange(2),
      alpha=jnp.inf,  # So half of the pixels are kept.
      decay=decay,
      partner=np.array([1, 0]),
    )
    return jnp.mean(mixed[:, 1:] != mixed[:, :-1])

  keys = jax.random.split(jax.random.key(0), 3)
  white, pink, smooth = (
    float(borders(k, decay)) for k, decay in zip(keys, (0.0, 1.0, 3.0))
  )
  assert 0.45 < white < 0.55 and smooth < 0.1 < pink < 0.35


def test_fmix_marks_none_half_and_all():
  values = jnp.asarray([[[3.0, 1.0], [2.0, 4.0]]] * 3)
  marked = _fmix._largest(values, jnp.asarray([0.0, 0.5, 1.0]))
  np.testing.assert_array_equal(
    marked.reshape(3, 4), [[0] * 4, [1, 0, 0, 1], [1] * 4]
  )


def test_fmix_marks_the_largest_of_any_floats():
  """As many as `share` asks, of both signs and every magnitude."""
  rng = np.random.default_rng(0)
  values = np.exp(rng.uniform(-60, 60, 21)) * rng.choice((-1, 1), 21)
  values = np.append(values, (0.0, 3e38, -3e38, 1e-30)).astype(np.float32)
  count = np.arange(26)
  marked = jax.jit(_fmix._largest)(
    np.broadcast_to(values.reshape(5, 5), (26, 5, 5)),
    jnp.asarray(count / 25, jnp.float32),
  ).reshape(26, 25)
  rank = np.argsort(np.argsort(-values))
  np.testing.assert_array_equal(marked, rank < count[:, None])


def test_fmix_of_lam_one_keeps_the_images():
  images = jax.random.normal(jax.random.key(0), (2, 3, 3))
  for options in ({"alpha": 0.0}, {"alpha": 1.0, "enabled": False}):
    mixed, targets = transforms.fmix(
      jax.random.key(1), images, jnp.arange(2), **options
    )
    np.testing.assert_array_equal(mixed, images)
    np.testing.assert_array_equal(targets.lam, 1)


def test_fmix_refuses_a_negative_decay():
  with pytest.raises(ValueError, match="decay must be from 0 .* got -1"):
    transforms.fmix(
      jax.random.key(0), jnp.ones((2, 3)), jnp.arange(2), alpha=1.0, decay=-1.0
    )
