"""Tests of passing the options of a config to a program."""

import functools

import jax
import jax.numpy as jnp
import optax
import pytest

from configs import cifar
from configs import imagenet
from mixup_jax import models
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.recipes import assemble
from mixup_jax.train import inputs
from mixup_jax.train import schedules

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
  made = assembled(monkeypatch, **{"mix.group_size": 2})
  _, targets = made["transform"](jax.random.key(1), x, jnp.arange(4))
  assert len(set(targets.lam.tolist())) == 2
  made = assembled(monkeypatch, **{"mix.per_example": True})
  _, targets = made["transform"](jax.random.key(1), x, jnp.arange(4))
  assert len(set(targets.lam.tolist())) == 4


@pytest.mark.parametrize(
  "model, message",
  [
    ({"name": "vit_s4", "patch_size": 3}, "8 x 8 pixels have no patches of 3"),
    ({"name": "lenet"}, "maps of 0 x 0 are smaller than a window of 2 x 2"),
  ],
)
def test_assemble_refuses_images_that_a_network_cannot_have(model, message):
  with pytest.raises(ValueError, match=message):
    assemble.assemble(
      cifar.get_config("smoke"),
      inputs.streamed(8, mean=(0.5,), std=(0.5,)),
      model=model,
      optimizer=SIZES["optimizer"],
      num_classes=10,
      rate=optax.constant_schedule(0.1),
      mix=None,
      steps_per_epoch=7,
    )


@pytest.mark.parametrize(
  "transform, message",
  [
    (
      functools.partial(transforms.manifold, alpha=1.0, layers=(0, 3)),
      r"no depth 3 to mix at.* choose from \[0, 1, 2\]",
    ),
    (
      functools.partial(transforms.mixup, alpha=1.0, group_size=3),
      "group_size=3 does not divide the batch of 16",
    ),
  ],
)
def test_check_transform_refuses_depths_and_groups_there_are_not(
  transform, message
):
  network = models.build("mlp", num_classes=3, hidden=(4, 4))
  example = jax.ShapeDtypeStruct((1, 5), jnp.float32)
  with pytest.raises(ValueError, match=message):
    assemble.check_transform(transform, network, example, 16)
  fine = functools.partial(transforms.manifold, alpha=1.0, layers=(0, 2))
  assemble.check_transform(fine, network, example, 16)


def test_assemble_converts_plain_epochs_to_steps(monkeypatch):
  changes = {"mix.plain_first_epochs": 2, "mix.plain_last_epochs": 3}
  made = assembled(monkeypatch, epochs=10, **changes)
  assert made["num_plain_steps"] == 14 and made["num_mixed_steps"] == 49


def test_assemble_refuses_local_partners_of_one_image_a_device(monkeypatch):
  with pytest.raises(ValueError, match="two examples per device, but a step"):
    assembled(monkeypatch, batch_size=8, partners="local_roll")


@pytest.mark.parametrize(
  "epochs, shares, expected",
  [
    (200, (0.5, 0.75), [100, 150]),
    (200, (0.3, 0.6, 0.9), [60, 120, 180]),
    (30, (0.5, 0.75), [15, 22]),
    (20, (0.5, 0.75), [10, 15]),
    (10, (0.5, 0.75), [5, 8]),
    (5, (0.5, 0.75), [2, 4]),
    (4, (0.5, 0.75), [2, 3]),
    (3, (0.5, 0.75), [1.5, 2.2]),  # 2 and 2.
    (1, (0.5, 0.75), [0.5, 0.8]),  # 0 and 1.
    (2, (0.3, 0.6, 0.9), [0.6, 1.2, 1.8]),
  ],
)
def test_decay_epochs_are_whole_where_a_run_is_long_enough(
  epochs, shares, expected
):
  config = cifar.get_config()
  config.update(epochs=epochs, decay_at=shares)
  found = assemble.decay_epochs(config, 10, whole=True)
  assert found == pytest.approx(expected)


@pytest.mark.parametrize("model", (*cifar.MODELS, "vit_s4"))
def test_the_first_rate_is_the_configs_for_any_number_of_epochs(model):
  config = cifar.get_config(f"model={model}")
  for epochs in (*range(1, 30), 200):
    for steps_per_epoch in (1, 2, 3, 45):
      config.epochs = epochs
      drops = assemble.decay_epochs(config, steps_per_epoch, whole=True)
      rate = schedules.make_schedule(
        "step",
        0.1,
        epochs=epochs,
        steps_per_epoch=steps_per_epoch,
        decay_epochs=drops,
        decay_factor=0.1,
      )
      steps = [round(drop * steps_per_epoch) for drop in drops]
      assert steps == sorted(set(steps)), (epochs, steps_per_epoch)
      assert all(0 < step < epochs * steps_per_epoch for step in steps)
      # Of a run that has as many updates as drops, each is one.
      enough = epochs * steps_per_epoch > 10
      assert not enough or len(drops) == len(config.decay_at)
      with jax.numpy_dtype_promotion("standard"):
        assert float(rate(0)) == pytest.approx(0.1)


def test_decay_epochs_need_not_be_whole():
  config = imagenet.get_config("dataset=imagenet2012")
  drops = assemble.decay_epochs(config, 1251.13)
  steps = [round(share * 90 * 1251.13) for share in config.decay_at]
  assert [round(drop * 1251.13) for drop in drops] == steps


@pytest.mark.parametrize("shares", ((0.75, 0.5), (0.5, 0.5)))
def test_decay_epochs_names_shares_that_do_not_rise(shares):
  config = cifar.get_config()
  config.decay_at = shares
  with pytest.raises(ValueError, match="config.decay_at=.*that do not rise"):
    assemble.decay_epochs(config, 10, whole=True)
