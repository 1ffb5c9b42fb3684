"""Tests that the program of each row of Table 5 is the paper's."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import ablation as configs
from experiments import ablation
from mixup_jax import transforms
from mixup_jax.recipes import assemble
from mixup_jax.recipes import in_memory
from tests.every_transform import row_an_example


def config(argument="smoke", **changes):
  values = configs.get_config(argument)
  values.update(changes)
  return values


@pytest.fixture
def made(monkeypatch):
  """Returns what the program of a row is made of."""
  given = []
  monkeypatch.setattr(
    assemble, "make_program", lambda *_, **options: given.append(options)
  )
  data = in_memory.load(config())  # 1,437 images: 12 batches of 128.

  def make(name, **changes):
    values = config("dataset=cifar10", **changes)
    ablation.make_program(values, data, ablation.Network(name, 5e-4))
    return given[-1]

  return make


def test_make_program_of_ends_early_does_not_mix_the_last_epochs(made):
  options = made("ends_early")
  assert options["num_mixed_steps"] == 180 * 12
  options = made("ends_early", mixed_share=0.5)
  assert options["num_mixed_steps"] == 100 * 12
  for name in ("erm", "mixup_ac_rp", "layer_2"):
    assert "num_mixed_steps" not in made(name)
  assert made("erm")["transform"] is None


def test_make_program_passes_options_of_a_row_to_its_transform(made):
  def keywords(name, **changes):
    return made(name, **changes)["transform"].keywords

  assert keywords("mixup_ac_rp")["alpha"] == 1
  assert not keywords("mixup_ac_rp")["per_example"]
  assert keywords("per_example")["per_example"]
  assert keywords("layer_2")["layers"] == (2,)
  assert keywords("smoothing_0.2") == {"epsilon": 0.2, "num_classes": 10}
  # Those of the config are of every row that does not change them.
  assert keywords("layer_2", mix={"alpha": 0.4, "fold": True})["alpha"] == 0.4
  assert keywords("mixup_ac_rp", mix={"fold": True})["fold"]
  assert keywords("mixup_ac_rp", mix={"name": "cutmix"})["alpha"] == 1
  mix = made("mix", mix={"name": "gaussian_noise", "sigma": 0.3})["transform"]
  assert (mix.func, mix.keywords) == (transforms.gaussian_noise, {"sigma": 0.3})
  mixup = made("mixup_ac_rp", mix={"name": "cutmix"})["transform"]
  assert mixup.func is transforms.mixup  # A row is what its name states.


def test_make_program_passes_the_weight_decay_to_the_optimizer(monkeypatch):
  made = []
  monkeypatch.setattr(
    in_memory, "make_program", lambda *_, **options: made.append(options)
  )
  for name, decay in (("erm", 5e-4), ("mixup_ac_rp", 1e-4)):
    ablation.make_program(config(), None, ablation.Network(name, decay))
  assert [options["optimizer"] for options in made] == [
    {"weight_decay": 5e-4},
    {"weight_decay": 1e-4},
  ]


@pytest.mark.parametrize("name", configs.ROWS)
def test_make_program_transform_of_every_row_keeps_padding_out(
  getkey, made, name
):
  """As the last batch of an epoch is, and with partners from elsewhere."""
  transform = made(name)["transform"]
  if transform is None:
    assert name == "erm"
    return
  row = configs.ROWS[name]
  inputs = jax.random.normal(getkey(), (32, 4, 4, 3))
  labels = jax.random.randint(getkey(), (32,), 0, 10)
  where = jnp.arange(32) < 20
  if row.neighbors:
    pairs = functools.partial(transforms.paired, transform=transform)
    mixed, targets = jax.jit(pairs)(getkey(), inputs, labels, where=where[::2])
    inputs, where = inputs[::2], where[::2]
  else:
    inputs = jnp.where(where[:, None, None, None], inputs, jnp.nan)
    mixed, targets = row_an_example(
      *jax.jit(transform)(getkey(), inputs, labels, where=where)
    )
  if isinstance(mixed, transforms.HiddenMix):
    hook, mixed = mixed.hook, mixed.inputs
    for depth in range(6):
      mixed = hook(depth, mixed)
  valid = np.asarray(mixed)[np.asarray(where)]
  assert np.isfinite(valid).all()  # Nothing of the padding is in it.
  changed = (valid != np.asarray(inputs)[np.asarray(where)]).any()
  assert changed == ("smoothing" not in name or "inputs" in name)
  is_hard = getattr(targets, "dtype", None) == jnp.int32
  assert is_hard == (
    name in ("inputs_sc_rp", "inputs_ac_rp", "inputs_sc_knn", "inputs_ac_knn")
    or "noise" in name
  )


def test_make_program_smooths_labels_as_in_the_paper(getkey, made):
  labels = jax.random.randint(getkey(), (32,), 0, 10)
  smooth = made("smoothing_0.2")["transform"]
  _, targets = smooth(getkey(), jnp.zeros((32, 2)), labels)
  right = jnp.take_along_axis(targets, labels[:, None], axis=1)
  np.testing.assert_allclose(right, 1 - 9 * 0.02, rtol=1e-6)
  np.testing.assert_allclose(jnp.sort(targets)[:, :9], 0.02, rtol=1e-6)
