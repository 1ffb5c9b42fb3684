"""Tests of making a program from a config, for images in memory."""

import jax
import numpy as np
import pytest

from configs import cifar
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.recipes import assemble
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import mixing


def config(argument="smoke", **changes):
  values = cifar.get_config(argument)
  values.update(changes)
  return values


def make(values):
  return in_memory.make_program(
    values, in_memory.load(values), mixing.method(values.mix)
  )


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"mix": {"alpha": -1.0}}, "alpha must be .* got -1"),
    ({"mix": {"probability": 2.0}}, "mix.probability must be at most 1, got 2"),
    ({"mix": {"name": "mixupp"}}, "mixupp.*Did you mean 'mixup'"),
    ({"dataset": "cifar11"}, "Did you mean 'cifar10'"),
    ({"seeds": 0}, "config.seeds must be at least 1, got 0"),
    ({"num_train": -1}, "config.num_train must be at least 0, got -1"),
    ({"num_train": 1438}, "num_train=1438, but digits has 1437 training"),
    ({"batch_size": 100}, "batch_size=100 cannot be shared by 8 devices"),
    ({"eval_batch_size": 12}, "eval_batch_size=12 cannot be shared by 8"),
    ({"precision": "fp16"}, "unknown precision 'fp16'"),
    ({"partners": "near"}, "unknown partner policy 'near'"),
    ({"steps_per_dispatch": -1}, "steps_per_dispatch must be at least 0"),
    ({"decay_at": (0.75, 0.5)}, "do not rise"),
    ({"average_decay": 1.0}, "config.average_decay must be below 1"),
  ],
)
def test_make_program_refuses_bad_configs(changes, message):
  with pytest.raises(ValueError, match=message):
    make(config(**changes))


def test_load_num_train_takes_the_first_training_images():
  whole, part = (in_memory.load(config(num_train=n)) for n in (0, 100))
  np.testing.assert_array_equal(part.train_images, whole.train_images[:100])
  np.testing.assert_array_equal(part.train_labels, whole.train_labels[:100])
  np.testing.assert_array_equal(part.test_images, whole.test_images)


def test_load_without_augment_neither_pads_nor_flips():
  assert in_memory.load(config()).pad == 1
  data = in_memory.load(config(augment=False))
  assert data.pad == 0 and data.flip is False


def test_make_program_passes_changes_to_the_model_and_the_optimizer(
  monkeypatch,
):
  values = config()
  made = []
  monkeypatch.setattr(
    assemble,
    "make_program",
    lambda model, tx, *_, **options: made.append((model, tx)),
  )
  in_memory.make_program(
    values,
    in_memory.load(values),
    results.ERM,
    model={"dropout": 0.3},
    optimizer={"weight_decay": 0.5},
  )
  ((model, tx),) = made
  assert model.dropout == 0.3 and model.width == values.model.width
  params = {"w": jax.numpy.ones(2)}
  with jax.numpy_dtype_promotion("standard"):
    deltas, _ = tx.update({"w": jax.numpy.zeros(2)}, tx.init(params), params)
  # Of a gradient of zero, the decay alone: -rate * decay * w.
  np.testing.assert_allclose(deltas["w"], -0.1 * 0.5)


def test_make_program_learning_rate_drops_at_its_share_of_the_epochs(
  monkeypatch,
):
  values = config(epochs=5, batch_size=512, num_train=1000)
  monkeypatch.setattr(
    sharding,
    "make_mesh",
    lambda: jax.make_mesh((1,), (sharding.AXIS,), devices=jax.devices()[:1]),
  )
  made = []
  monkeypatch.setattr(
    assemble,
    "make_program",
    lambda *_, **options: made.append(options["learning_rate"]),
  )
  in_memory.make_program(values, in_memory.load(values), results.ERM)
  with jax.numpy_dtype_promotion("standard"):
    rates = [float(made[0](step)) for step in range(10)]
  # After 2 and 4 whole epochs of two steps, for 2.5 and 3.75.
  np.testing.assert_allclose(rates, [0.1] * 4 + [0.01] * 4 + [0.001] * 2)


def test_setting_names_overrides_relative_to_the_papers_config():
  paper = cifar.get_config("dataset=cifar10")
  values = config("dataset=cifar10")
  assert in_memory.setting(values, paper) == "cifar10, preact_resnet18"
  values.model.width = 8
  values.epochs = 12
  values.num_train = 500
  values.augment = False
  assert in_memory.setting(values, paper) == (
    "cifar10, preact_resnet18 (width 8, epochs 12, no augmentation, 500 "
    "training images)"
  )


def test_median_of_last_seconds_and_seeds_summarize_a_run():
  lines = [
    {"test/error": e, "train/seconds": 2.0, "seconds": 1.0}
    for e in (90, *range(20, 10, -1))
  ]
  assert in_memory.median_of_last(lines) == 15.5
  assert in_memory.seconds(lines) == 33
  values = config(seeds=2)
  values.first_seed = 3
  assert list(in_memory.seeds(values)) == [3, 4]
