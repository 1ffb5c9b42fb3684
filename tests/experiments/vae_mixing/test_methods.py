"""Proves in which codes each method mixes."""

import functools

import chex
import jax
import jax.numpy as jnp
import pytest

from configs import vae_mixing as configs
from experiments.vae_mixing import methods
from mixup_jax import transforms
from mixup_jax.models import vae

ENCODER = vae.VAE(shape=(3,), latent=2, hidden=(4,))


@pytest.fixture(scope="module")
def params():
  keys = jax.random.split(jax.random.key(0))
  return jax.jit(ENCODER.init)(keys[0], jnp.zeros((1, 3)), keys[1])["params"]


@jax.jit
def transformed(params, key, inputs, labels):
  """Returns what each method makes of the same key."""
  config = configs.get_config()
  return {
    name: methods.mixing(config, name, ENCODER, params)["transform"](
      key, inputs, labels
    )
    for name in ("mixup", "codes", "reconstructions", "unmixed")
  }


@jax.jit
def by_hand(params, inputs, plan):
  """Returns reconstructions, these mixed, and what mixed codes decode to."""

  def call(x, name):
    return ENCODER.apply({"params": params}, x, method=name)

  codes, decoded = call(inputs, "encode")[0], call(inputs, "reconstruct")
  mixed = transforms.mix_pairs((codes, decoded), plan)
  return decoded, mixed[1], call(mixed[0], "decode")


def test_all_mix_the_same_pairs_each_in_its_codes(getkey, params):
  inputs, labels = jax.random.normal(getkey(), (6, 3)), jnp.arange(6)
  key = getkey()
  with jax.debug_key_reuse(False):
    found = transformed(params, key, inputs, labels)
    expected = jax.jit(transforms.mixup)(key, inputs, labels, alpha=1.0)
  chex.assert_trees_all_equal(found["mixup"], expected)
  for name in ("codes", "reconstructions"):
    chex.assert_trees_all_equal(found[name][1], expected[1])
  plan = transforms.Mix(expected[1].lam, expected[1].partner_labels)
  decoded, reconstructions, codes = by_hand(params, inputs, plan)
  close = functools.partial(chex.assert_trees_all_close, atol=1e-6)
  close(found["unmixed"][0], decoded)
  assert found["unmixed"][1].lam == 1
  close(found["reconstructions"][0], reconstructions)
  close(found["codes"][0], codes)


def test_erm_mixes_nothing_and_manifold_mixup_inside(params):
  config = configs.get_config()
  assert methods.mixing(config, "erm", ENCODER, params) == {}
  assert list(methods.mixing(config, "manifold", ENCODER, params)) == [
    "mix_hidden"
  ]


def test_names():
  assert methods.choose(["all"]) == tuple(methods.METHODS)
  assert methods.choose(["codes", "erm", "codes"]) == ("codes", "erm")
  with pytest.raises(ValueError, match="unknown method 'code': choose all"):
    methods.choose(["code"])
