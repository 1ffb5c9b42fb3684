"""Tests of passing the options of a config to a program."""

import jax
import jax.numpy as jnp
import optax
import pytest

from configs import cifar
from mixup_jax import sharding
from mixup_jax.recipes import assemble
from mixup_jax.train import inputs

SIZES = {"model": {"name": "preact_resnet18"}, "optimizer": {"name": "adam"}}


def assembled(monkeypatch, mix="config", **changes):
  """Returns the arguments that the program is made with."""
  config = cifar.get_config("smoke")
  config.update_from_flattened_dict(changes)
  made = {}

  def make_program(model, tx, inputs, **options):
    made.update(options, model=model, tx=tx)

  monkeypatch.setattr(assemble, "make_program", make_program)
  assemble.assemble(
    config,
    inputs.streamed(8, mean=(0.5,), std=(0.5,)),
    **SIZES,
    num_classes=10,
    rate=optax.constant_schedule(0.1),
    mix=config.mix if mix == "config" else mix,
    steps_per_epoch=7,
    mesh=sharding.make_mesh(),
  )
  return made


def test_assemble_of_erm_has_no_transform(monkeypatch):
  assert assembled(monkeypatch, mix=None)["transform"] is None


def test_assemble_passes_options_of_the_mix_to_the_transform(monkeypatch):
  made = assembled(monkeypatch, mix=cifar.get_config().mix)
  x = jax.random.normal(jax.random.key(0), (4, 2))
  _, targets = made["transform"](jax.random.key(1), x, jnp.arange(4))
  assert len(set(targets.lam.tolist())) == 1
  made = assembled(monkeypatch, **{"mix.per_example": True})
  _, targets = made["transform"](jax.random.key(1), x, jnp.arange(4))
  assert len(set(targets.lam.tolist())) == 4


def test_assemble_converts_plain_epochs_to_steps(monkeypatch):
  changes = {"mix.plain_first_epochs": 2, "mix.plain_last_epochs": 3}
  made = assembled(monkeypatch, epochs=10, **changes)
  assert made["num_plain_steps"] == 14 and made["num_mixed_steps"] == 49


def test_assemble_refuses_local_partners_of_one_image_a_device(monkeypatch):
  with pytest.raises(ValueError, match="two examples per device, but a step"):
    assembled(monkeypatch, batch_size=8, partners="local_roll")
