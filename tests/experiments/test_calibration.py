"""Tests of calibration, with one run from end to end on digits."""

import json
import sys

import jax
import numpy as np
import pytest

from configs import calibration as configs
from experiments import calibration
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.recipes import in_memory
from mixup_jax.runtime import cli

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])


def config(**changes):
  values = configs.get_config("smoke")
  values.update(changes)
  return values


@pytest.mark.slow
def test_run_fits_the_temperature_on_images_of_its_own(tmp_path, monkeypatch):
  fit, fitted_on = calibration.calibration.fit_temperature, []

  def recorded(logits, labels):
    fitted_on.append(labels)
    return fit(logits, labels)

  monkeypatch.setattr(calibration.calibration, "fit_temperature", recorded)
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
  _, (_, held_out) = calibration.hold_out(config(), in_memory.load(config()))
  assert len(fitted_on) == 2
  for labels in fitted_on:
    np.testing.assert_array_equal(labels, held_out)
  rows = {
    (row["method"], row["metric"]): row["value"] for row in result["rows"]
  }
  for method in ("ERM", "mixup, alpha 1"):
    scaled = f"{method}, temperature scaled"
    assert rows[method, "temperature"] == 1 != rows[scaled, "temperature"]
    # Scaling changes no prediction.
    assert rows[method, "test error (%)"] == rows[scaled, "test error (%)"]
    assert rows[method, "NLL (nats)"] != rows[scaled, "NLL (nats)"]
  moved = "mixup, alpha 1, rescaled"
  assert rows[moved, "temperature"] == 1
  assert rows[moved, "NLL (nats)"] != rows["mixup, alpha 1", "NLL (nats)"]
  assert ("ERM, rescaled", "temperature") not in rows
  assert len(result["reliability"]) == 5
  assert [each["key"] for each in result["reliability"]] == [
    "erm",
    "erm",
    "mixup",
    "mixup",
    "mixup",
  ]
  assert (tmp_path / "mixup" / "seed_0").exists()
  for diagram in result["reliability"]:
    np.testing.assert_allclose(sum(diagram["share"]), 1, atol=1e-3)
  assert (tmp_path / "result.png").exists()


@pytest.mark.parametrize(
  "changes, expected",
  [
    ({}, True),
    ({"per_example": True, "fold": True}, True),
    ({"probability": 0.5}, False),  # Other inputs are not shrunken.
    ({"plain_last_epochs": 2}, False),
  ],
)
def test_is_rescaled_of_mixup_that_mixes_every_batch(changes, expected):
  values = config()
  values.mix.update(changes)
  for key in ("mixup", "cutmix", "erm"):
    method = results.Method(key, key, 1.0)
    found = calibration.is_rescaled(values, method)
    assert found == (expected and key == "mixup")


def test_rescaled_logits_are_of_images_nearer_to_their_mean():
  data = in_memory.load(config())
  seen, count = [], len(data.test_labels)

  def predicted(state, examples, *, batch_size):
    seen.append(examples[0])
    return np.tile(np.float32([9.0] + [0.0] * 9), (count, 1))

  found = calibration.rescaled_logits(config(), data, predicted, None)
  mean = data.train_images.astype(np.float64).mean(0)
  np.testing.assert_allclose(
    seen[0], mean + 0.75 * (data.test_images - mean), atol=1e-3
  )
  shares = np.bincount(data.train_labels) / len(data.train_labels)
  probabilities = np.exp(found)
  np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
  # One class is nearly certain; all others are ruled out, but not to -inf.
  assert shares.max() < 0.2 and (probabilities[:, 0] > 0.999).all()
  np.testing.assert_allclose(found[:, 1:], np.log(2.0**-23), rtol=1e-5)


def test_prepare_holds_out_images_that_are_not_trained_on():
  prepared = calibration.prepare(config(held_out=0.25))
  train = {x.tobytes() for x in prepared.subjects.data.train_images}
  held = {x.tobytes() for x in prepared.held_out[0]}
  assert not train & held and len(held) > 300
  counts = np.bincount(prepared.held_out[1])
  assert counts.max() - counts.min() <= 4  # Evenly over the classes.


def test_reliability_is_of_all_seeds_at_their_temperatures():
  labels = np.array([0, 1], np.int32)
  seeds = [
    (scale * np.log(np.array([[0.9, 0.1], [0.6, 0.4]], np.float32)), labels)
    for scale in (1, 2)
  ]
  found = calibration.reliability(config(), results.ERM, seeds, [1.0, 2.0])
  # Both seeds are alike once they are scaled; empty bins are left out.
  assert found["confidence"] == [0.6, 0.9] and found["share"] == [0.5, 0.5]
  assert found["accuracy"] == [0, 1] and found["error"] == 35


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"held_out": 0.0}, "held_out must be above 0, got 0.0"),
    ({"held_out": 1.0}, "held_out must be below 1, got 1.0"),
    ({"mix": {"name": "mixap"}}, "unknown transform .* Did you mean 'mixup'?"),
    ({"networks": "RUN"}, "networks=RUN: networks of another run were trained"),
    ({"mix": {"alpha": -1.0}}, "alpha must be .* got -1"),
  ],
)
def test_prepare_refuses_bad_configs(changes, message):
  values = config()
  values.update(changes)
  with pytest.raises(ValueError, match=message):
    calibration.prepare(values)
