"""Tests of sequences of unequal lengths, against NumPy."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms

BATCH, LENGTH, DIM, CLASSES = 6, 7, 3, 5
LENGTHS = np.array([7, 2, 4, 1, 0, 5])
VALID = np.arange(LENGTH) < LENGTHS[:, None]


def sequences(padding=np.nan):
  """Returns two arrays of a text: embeddings, and one number a token."""
  rng = np.random.default_rng(0)
  embedded = rng.normal(size=(BATCH, LENGTH, DIM)).astype(np.float32)
  position = rng.normal(size=(BATCH, LENGTH)).astype(np.float32)
  return {
    "embedded": np.where(VALID[..., None], embedded, padding),
    "position": np.where(VALID, position, padding),
  }


def by_numpy(x, lam, partner):
  """Returns the sum of tokens, one by one, and where there are any."""
  made, union = np.zeros_like(x), np.zeros(x.shape[:2], bool)
  for i, j in enumerate(partner):
    for row, weight in ((i, lam[i]), (j, 1 - lam[i])):
      for t in range(LENGTHS[row] if weight else 0):
        made[i, t] += weight * x[row, t]
        union[i, t] = True
  return made, union


@pytest.mark.parametrize("per_example", (False, True))
def test_mix_padded_is_that_of_numpy(per_example):
  mix = transforms.sample_mix(
    jax.random.key(0), BATCH, alpha=1.0, per_example=per_example
  )
  tree = sequences()
  mixed, valid = jax.jit(transforms.mix_padded)(tree, mix, valid=VALID)
  lam = np.broadcast_to(mix.lam, BATCH)
  for name, x in tree.items():
    expected, union = by_numpy(x, lam, mix.partner)
    np.testing.assert_allclose(mixed[name], expected, rtol=1e-6, atol=1e-7)
    np.testing.assert_array_equal(valid, union)
  in_one = VALID ^ VALID[mix.partner]
  assert in_one.any() and (valid & in_one).sum() == in_one.sum()


def test_mix_padded_weighs_a_token_beside_padding_by_its_own_weight():
  mix = transforms.Mix(jnp.float32(0.25), jnp.array([1, 0]))
  valid = np.array([[True, True, False], [True, False, False]])
  x = jnp.array([[4.0, 4.0, 99.0], [8.0, 99.0, 99.0]])
  mixed, union = transforms.mix_padded(x, mix, valid=valid)
  expected = [[1 + 6.0, 1.0, 0.0], [2 + 3.0, 3.0, 0.0]]
  np.testing.assert_array_equal(mixed, expected)
  np.testing.assert_array_equal(union, [[True, True, False]] * 2)


@pytest.mark.parametrize("lam", (0.0, 1.0))
def test_mix_padded_of_weight_zero_is_the_other_alone(lam):
  tree = sequences()
  mix = transforms.Mix(jnp.float32(lam), jnp.roll(jnp.arange(BATCH), 1))
  mixed, valid = transforms.mix_padded(tree, mix, valid=VALID)
  kept, kept_valid = sequences(padding=0), VALID
  if lam == 0:
    kept, kept_valid = jax.tree.map(
      lambda x: np.roll(x, 1, axis=0), (kept, VALID)
    )
  chex.assert_trees_all_equal(mixed, kept)
  np.testing.assert_array_equal(valid, kept_valid)


def test_mix_padded_lets_no_padding_reach_tokens_or_gradients(getkey):
  """Neither what pads a sequence nor rows that pad the batch."""
  where = np.arange(BATCH) < 4
  x = sequences()["embedded"]
  x[~where] = np.nan
  rolled = transforms.rolled_partners(BATCH)

  for options in ({}, {"partner": rolled}):
    mix = transforms.sample_mix(
      getkey(), BATCH, alpha=1.0, where=where, **options
    )

    def total(x, mix):
      mixed, _ = transforms.mix_padded(x, mix, valid=VALID)
      return (mixed[:4] ** 2).sum()

    value, gradient = jax.jit(jax.value_and_grad(total))(jnp.asarray(x), mix)
    assert jnp.isfinite(value) and value > 0
    chex.assert_tree_all_finite(gradient)


def test_mix_padded_in_bfloat16_and_with_partners_of_a_function(getkey):
  tree = jax.tree.map(lambda x: jnp.asarray(x, jnp.bfloat16), sequences())
  by_rows = transforms.sample_mix(
    getkey(), BATCH, alpha=1.0, partner=transforms.rolled_partners(BATCH)
  )
  by_function = by_rows._replace(
    partner=functools.partial(jax.tree.map, lambda x: jnp.roll(x, 1, axis=0))
  )
  made = transforms.mix_padded(tree, by_rows, valid=VALID)
  chex.assert_trees_all_equal_dtypes(made[0], tree)
  chex.assert_trees_all_equal(
    made, transforms.mix_padded(tree, by_function, valid=VALID)
  )


def test_mix_padded_of_waveforms_adds_silence(getkey):
  lengths = jnp.array([16000, 9000, 12000])
  valid = jnp.arange(16000)[None] < lengths[:, None]
  clips = jax.random.normal(getkey(), valid.shape)
  mix = transforms.sample_mix(getkey(), 3, alpha=1.0)
  mixed, union = transforms.mix_padded(clips, mix, valid=valid)
  chex.assert_trees_all_close(
    mixed, transforms.mix_pairs(jnp.where(valid, clips, 0), mix), rtol=1e-6
  )
  longest = jnp.maximum(lengths, lengths[mix.partner])
  chex.assert_trees_all_equal(union.sum(1), longest)


def test_mix_padded_of_images_takes_a_mask_of_pixels():
  valid = np.zeros((2, 2, 2), bool)
  valid[0], valid[1, 0, 0] = True, True
  mix = transforms.Mix(jnp.float32(0.25), jnp.array([1, 0]))
  mixed, union = transforms.mix_padded(np.ones((2, 2, 2, 1)), mix, valid=valid)
  np.testing.assert_array_equal(
    mixed[..., 0], [[[1, 0.25], [0.25, 0.25]], [[1, 0.75], [0.75, 0.75]]]
  )
  assert union.all()


@pytest.mark.parametrize(
  "tree, valid, error, message",
  [
    (np.ones((6, 7)), np.ones(6, bool), ValueError, "is `where` of `sample_mi"),
    (
      np.ones((6, 7)),
      np.ones((6, 7)),
      TypeError,
      "got float32: pass valid > 0",
    ),
    (
      {"x": np.ones((6, 7, 2)), "id": np.ones(6)},
      VALID,
      ValueError,
      r"tree\['id'\] has the shape \(6,\), .* valid, \(6, 7\): mix it by",
    ),
    (
      {"tokens": np.ones((6, 7), np.int32)},
      VALID,
      TypeError,
      r"int32 values of shape \(6, 7\) at \['tokens'\]",
    ),
  ],
)
def test_mix_padded_refuses_what_is_not_padded(tree, valid, error, message):
  mix = transforms.Mix(jnp.float32(0.5), jnp.arange(6))
  with pytest.raises(error, match=message):
    transforms.mix_padded(tree, mix, valid=valid)


def test_mixing_of_a_text_is_a_transform(getkey):
  """As its docstring has it: a function that takes the options of a plan."""

  def text_mixup(key, inputs, targets, **options):
    mix = transforms.sample_mix(key, len(targets), alpha=1.0, **options)
    mixed, valid = transforms.mix_padded(
      inputs["embedded"], mix, valid=inputs["valid"]
    )
    mixed = {"embedded": mixed, "valid": valid}
    return mixed, transforms.mix_targets(targets, mix)

  transform = jax.jit(transforms.as_transform(text_mixup))
  inputs = {"embedded": sequences(padding=0)["embedded"], "valid": VALID}
  labels = jnp.arange(BATCH) % CLASSES
  where = np.arange(BATCH) < 4
  on, targets = transform(getkey(), inputs, labels, where=where, enabled=True)
  assert (on["valid"].sum(1) > VALID.sum(1)).any() and targets.lam[0] < 1
  off, targets = transform(getkey(), inputs, labels, where=where, enabled=False)
  chex.assert_trees_all_equal(off, inputs)
  chex.assert_trees_all_equal(targets.lam, jnp.ones(BATCH))


def test_hidden_layers_of_sequences_mix_with_their_masks(getkey):
  """Masks pass through the hook of `manifold` as floats, at any depth."""
  layers = (0, 1)
  hidden = sequences(padding=0)["embedded"]
  mixed, _ = transforms.manifold(
    getkey(), hidden, jnp.arange(BATCH), alpha=1.0, layers=layers
  )
  x, share = mixed.inputs, jnp.float32(VALID)
  masks = []
  for depth in layers:
    x = jnp.where(share[..., None] > 0, x, 0)
    x, share = mixed.hook(depth, (x, share))
    masks.append(share > 0)
  expected, union = transforms.mix_padded(hidden, mixed.mix, valid=VALID)
  chex.assert_trees_all_close(x, expected, rtol=1e-6)
  drawn = int(mixed.layer)
  for depth, mask in enumerate(masks):
    assert (mask == (union if depth >= drawn else VALID)).all()
