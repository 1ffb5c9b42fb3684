"""Tests of the learning rate and the program of section 3.1."""

import jax
import numpy as np
import pytest

from configs import imagenet
from mixup_jax import results
from mixup_jax.recipes import assemble
from mixup_jax.recipes import streaming


def config(argument="dataset=imagenet2012", **changes):
  values = imagenet.get_config(argument)
  values.update(changes)
  return values


def at(rate, step):
  with jax.numpy_dtype_promotion("standard"):  # As the training step does.
    return float(rate(np.int32(step)))


@pytest.mark.parametrize(
  "epochs, drops", [(90, (30, 60, 80)), (200, (60, 120, 180))]
)
def test_schedule_warms_up_and_drops_as_in_the_paper(epochs, drops):
  rate = streaming.schedule(
    config(f"dataset=imagenet2012,epochs={epochs}"), 1251
  )
  begin = [at(rate, round(epoch * 1251)) for epoch in (0, 2.5, 5)]
  np.testing.assert_allclose(begin, [0.1, 0.25, 0.4], rtol=1e-3)
  expected = 0.4
  for drop in drops:
    np.testing.assert_allclose(at(rate, drop * 1251 - 1), expected, rtol=1e-5)
    expected /= 10
    np.testing.assert_allclose(at(rate, drop * 1251), expected, rtol=1e-5)


def test_schedule_grows_with_the_batch_size():
  def peak(**changes):
    return at(streaming.schedule(config(**changes), 100), 500)

  np.testing.assert_allclose(peak(batch_size=8192), 3.2, rtol=1e-6)
  small = config(batch_size=64, warmup_epochs=0)
  np.testing.assert_allclose(
    at(streaming.schedule(small, 100), 0), 0.025, rtol=1e-6
  )


def test_schedule_with_accumulation_counts_updates():
  values = config(accumulation=4)
  assert streaming.step_size(values) == 256
  rate = streaming.schedule(values, 4 * 100)  # Of 100 updates an epoch.
  np.testing.assert_allclose(at(rate, 250), 0.25, rtol=1e-5)


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"batch_size": 100}, "batch_size=100 cannot be shared by 8 devices: use"),
    (
      {"batch_size": 1000, "accumulation": 2},
      "batch_size=1000 cannot be shared by 8 devices and 2 steps: use a multip",
    ),
    ({"eval_batch_size": 4}, "eval_batch_size=4 cannot be shared by 8 devices"),
    ({"accumulation": 0}, "config.accumulation must be at least 1, got 0"),
    ({"image_size": 4}, "config.image_size must be at least 8, got 4"),
  ],
)
def test_check_refuses_bad_sizes(changes, message):
  with pytest.raises(ValueError, match=message):
    streaming.check(config(**changes))
  streaming.check(config())


@pytest.mark.parametrize("model", ("resnet50", "vit_s16", "vgg11"))
def test_make_program_takes_models_with_and_without_batch_norm(
  model, monkeypatch
):
  values, built = config(f"model={model}"), []
  monkeypatch.setattr(
    assemble, "make_program", lambda network, *_, **__: built.append(network)
  )
  streaming.make_program(
    values,
    results.ERM,
    num_train=2048,
    num_classes=7,
    mean=(0.5,) * 3,
    std=(0.25,) * 3,
  )
  assert built[0].num_classes == 7
  for name, size in values.model.items():
    assert name == "name" or getattr(built[0], name) == size
