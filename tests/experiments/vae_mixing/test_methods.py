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


@functools.partial(jax.jit, static_argnums=0)
def transformed(name, params, key, inputs, labels):
  options = methods.mixing(configs.get_config(), name, ENCODER, params)
  return options["transform"](key, inputs, labels)


@jax.jit
def passed(params, inputs):
  """Returns the codes of inputs, and what is decoded from these."""
  call = lambda name: ENCODER.apply({"params": params}, inputs, method=name)
  return call("encode")[0], call("reconstruct")


def test_all_mix_the_same_pairs_each_in_its_codes(getkey, params):
  inputs, labels = jax.random.normal(getkey(), (6, 3)), jnp.arange(6)
  key = getkey()
  with jax.debug_key_reuse(False):
    found = {
        name: transformed(name, params, key, inputs, labels)
        for name in ("mixup", "codes", "reconstructions", "unmixed")
    }
    expected = transforms.mixup(key, inputs, labels, alpha=1.0)
  chex.assert_trees_all_equal(found["mixup"], expected)
  for name in ("codes", "reconstructions"):
    chex.assert_trees_all_equal(found[name][1], expected[1])
  codes, decoded = passed(params, inputs)
  chex.assert_trees_all_close(found["unmixed"][0], decoded)
  assert found["unmixed"][1].lam == 1
  plan = transforms.Mix(expected[1].lam, expected[1].partner_labels)
  chex.assert_trees_all_close(found["reconstructions"][0],
                              transforms.mix_pairs(decoded, plan))
  decode = jax.jit(lambda params, codes: ENCODER.apply(
      {"params": params}, codes, method="decode"))
  chex.assert_trees_all_close(found["codes"][0],
                              decode(params, transforms.mix_pairs(codes, plan)),
                              atol=1e-6)


def test_erm_mixes_nothing_and_manifold_mixup_inside(params):
  config = configs.get_config()
  assert methods.mixing(config, "erm", ENCODER, params) == {}
  assert list(methods.mixing(config, "manifold", ENCODER,
                             params)) == ["mix_hidden"]


def test_names():
  assert methods.choose(["all"]) == tuple(methods.METHODS)
  assert methods.choose(["codes", "erm", "codes"]) == ("codes", "erm")
  with pytest.raises(ValueError, match="unknown method 'code': choose all"):
    methods.choose(["code"])
