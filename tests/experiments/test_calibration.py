"""Runs the calibration from end to end on digits; proves what is refused."""

import json
import sys

import jax
import numpy as np
import pytest

from configs import calibration as configs
from experiments import calibration
from mixup_jax import sharding
from mixup_jax.runtime import cli

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])


def config(**changes):
  values = configs.get_config("smoke")
  values.update(changes)
  return values


@pytest.mark.slow
def test_the_temperature_is_fitted_on_images_of_its_own(tmp_path, monkeypatch):
  monkeypatch.setattr(sharding, "make_mesh", lambda: ONE_DEVICE)
  monkeypatch.setattr(
    sys,
    "argv",
    [
      "calibration",
      f"--config={calibration.CONFIG}:smoke",
      f"--workdir={tmp_path}",
      "--config.epochs=4",
      "--config.model.blocks=(1,)",
    ],
  )
  cli.launch(
    "calibration",
    prepare=calibration.prepare,
    run=calibration.run,
    config_file=calibration.CONFIG,
  )
  result = json.loads((tmp_path / "result.json").read_text())
  rows = {
    (row["method"], row["metric"]): row["value"] for row in result["rows"]
  }
  for method in ("ERM", "mixup, alpha 1"):
    scaled = f"{method}, temperature scaled"
    assert rows[method, "temperature"] == 1 != rows[scaled, "temperature"]
    # Scaling changes no prediction.
    assert rows[method, "test error (%)"] == rows[scaled, "test error (%)"]
    assert rows[method, "NLL (nats)"] != rows[scaled, "NLL (nats)"]
  assert len(result["reliability"]) == 4
  for diagram in result["reliability"]:
    np.testing.assert_allclose(sum(diagram["share"]), 1, atol=1e-3)
  assert (tmp_path / "result.png").exists()


def test_no_image_is_held_out_and_trained_on():
  prepared = calibration.prepare(config(held_out=0.25))
  train = {x.tobytes() for x in prepared.data.train_images}
  held = {x.tobytes() for x in prepared.held_out[0]}
  assert not train & held and len(held) > 300
  counts = np.bincount(prepared.held_out[1])
  assert counts.max() - counts.min() <= 4  # Evenly over the classes.


def test_logits_come_in_order_without_the_padding(monkeypatch):
  monkeypatch.setattr(sharding, "make_mesh", lambda: ONE_DEVICE)
  values = config(eval_batch_size=8)
  images = np.arange(20, dtype=np.uint8)[:, None]

  def predict(state, pixels):
    return jax.numpy.concatenate([pixels, pixels], 1)

  logits, _ = calibration.all_logits(
    values, predict, None, (images, np.zeros(20, np.int32))
  )
  np.testing.assert_array_equal(logits, np.repeat(images, 2, axis=1))


def test_numbers_are_those_of_the_scaled_logits():
  logits = np.log(np.array([[0.9, 0.1], [0.6, 0.4]], np.float32)) * 2
  found = dict(
    zip(
      calibration.METRICS,
      calibration.measure((logits, np.array([0, 1], np.int32)), 2.0),
    )
  )
  np.testing.assert_allclose(found["test error (%)"], 50)
  np.testing.assert_allclose(
    found["NLL (nats)"], -np.log([0.9, 0.4]).mean(), rtol=1e-5
  )
  np.testing.assert_allclose(found["Brier score"], (0.02 + 0.72) / 2, rtol=1e-5)
  np.testing.assert_allclose(
    found["confidence minus accuracy (%)"], 25, rtol=1e-5
  )
  assert found["temperature"] == 2


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"held_out": 0.0}, "held_out must be between 0 and 1, got 0.0"),
    ({"held_out": 1.0}, "held_out must be between 0 and 1, got 1.0"),
    ({"networks": "RUN"}, "networks=RUN: networks of another run were trained"),
    ({"alpha": -1.0}, "alpha must be .* got -1"),
  ],
)
def test_bad_configs_are_refused_before_any_work(changes, message):
  with pytest.raises(ValueError, match=message):
    calibration.prepare(config(**changes))
