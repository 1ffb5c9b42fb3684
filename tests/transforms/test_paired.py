"""Tests of mixing with partners that follow their examples."""

import functools

import chex
import jax
import jax.numpy as jnp
import pytest

from mixup_jax import transforms

LAYOUT = jax.P("data")


def pairs(getkey, batch=16):
  own, partner = jax.random.normal(getkey(), (2, batch, 3))
  labels, others = jax.random.randint(getkey(), (2, batch), 0, 5)

  def turns(a, b):
    return jnp.stack([a, b], 1).reshape(-1, *a.shape[1:])

  return (own, partner, labels, others), (
    turns(own, partner),
    turns(labels, others),
  )


@pytest.mark.parametrize("per_example", (False, True))
def test_paired_mixes_each_example_with_the_row_after_it(getkey, per_example):
  (own, partner, labels, others), batch = pairs(getkey)
  mixed, targets = transforms.paired(
    getkey(),
    *batch,
    transform=functools.partial(
      transforms.mixup, alpha=1.0, per_example=per_example
    ),
  )
  assert targets.lam.shape == (16,)
  assert len(set(targets.lam.tolist())) == (16 if per_example else 1)
  chex.assert_trees_all_equal(targets.labels, labels)
  chex.assert_trees_all_equal(targets.partner_labels, others)
  chex.assert_trees_all_equal(
    mixed, transforms.interpolate(own, partner, targets.lam)
  )
  with pytest.raises(AssertionError):
    chex.assert_trees_all_close(mixed, own)


def test_paired_inputs_only_keeps_the_nearer_label(getkey):
  (own, partner, labels, others), batch = pairs(getkey)
  mixed, targets = transforms.paired(
    getkey(),
    *batch,
    transform=functools.partial(
      transforms.inputs_only, alpha=1.0, per_example=True
    ),
  )
  to_own, to_partner = (((mixed - x) ** 2).sum(-1) for x in (own, partner))
  nearer = jnp.where(to_own <= to_partner, labels, others)
  chex.assert_trees_all_equal(targets, nearer)


def test_paired_ignores_where_and_passes_enabled_on(getkey):
  (own, *_), batch = pairs(getkey)
  key = getkey()
  mix = functools.partial(
    transforms.paired, transform=functools.partial(transforms.mixup, alpha=1.0)
  )
  mixed = mix(jax.random.clone(key), *batch)
  masked = mix(jax.random.clone(key), *batch, where=jnp.arange(16) < 5)
  chex.assert_trees_all_equal(mixed, masked)
  off, _ = mix(key, *batch, enabled=False)
  chex.assert_trees_all_equal(off, own)


def test_paired_keeps_pairs_on_their_devices(getkey):
  _, batch = pairs(getkey)
  mesh = jax.make_mesh((8,), ("data",))
  placed = jax.device_put(batch, jax.NamedSharding(mesh, LAYOUT))
  mix = jax.jit(
    functools.partial(
      transforms.paired,
      transform=functools.partial(transforms.mixup, alpha=1.0),
    )
  )
  key = getkey()
  text = mix.lower(key, *placed).compile().as_text()
  for word in ("all-gather", "all-to-all", "collective-permute", "all-reduce"):
    assert word not in text
  chex.assert_trees_all_close(
    jax.device_get(mix(jax.random.clone(key), *placed)),
    jax.device_get(mix(key, *batch)),
    rtol=1e-6,
  )


def test_paired_refuses_hidden_layers(getkey):
  _, batch = pairs(getkey)
  hidden = functools.partial(transforms.manifold, alpha=1.0, layers=(0,))
  with pytest.raises(TypeError, match="paired cannot mix hidden layers"):
    transforms.paired(getkey(), *batch, transform=hidden)


def test_paired_refuses_mixes_beside_the_examples(getkey):
  _, batch = pairs(getkey)
  both = functools.partial(transforms.regmixup, alpha=1.0)
  with pytest.raises(TypeError, match="which regmixup does not"):
    transforms.paired(getkey(), *batch, transform=both)
