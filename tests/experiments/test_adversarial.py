"""Tests of section 3.5, with runs from end to end on digits."""

import json
import sys
import types

import jax
import numpy as np
import pytest

from configs import adversarial as configs
from configs import imagenet
from experiments import adversarial
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.evaluation import robustness
from mixup_jax.results import encoding
from mixup_jax.runtime import cli
from mixup_jax.runtime import preemption

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])
MIXUP = results.Method("mixup", "mixup, alpha 1", 1.0)
# `[seeds, epsilons, errors]` at epsilon 0 and 4.
VALUES = {
  (results.ERM, "white box, FGSM"): np.array(
    [[(5.0, 1.0), (60.0, 20.0)], [(7.0, 2.0), (80.0, 30.0)]]
  ),
  (results.ERM, "black box, FGSM"): np.array([[(7.0, 2.0), (40.0, 10.0)]]),
  (MIXUP, "white box, FGSM"): np.array([[(4.0, 1.0), (50.0, 10.0)]]),
  (MIXUP, "black box, FGSM"): np.array([[(4.0, 1.0), (30.0, 5.0)]]),
}


def config(argument="smoke", **changes):
  values = configs.get_config(argument)
  values.update(changes)
  return values


def short():
  argument = "dataset=cifar10,seeds=2"
  return config(argument, epsilons=(0.0, 4.0), epochs=12)


def launch(monkeypatch, workdir, *argv):
  monkeypatch.setattr(sharding, "make_mesh", lambda: ONE_DEVICE)
  monkeypatch.setattr(
    sys,
    "argv",
    [
      "adversarial",
      f"--config={adversarial.CONFIG}:smoke",
      f"--workdir={workdir}",
      "--config.num_images=64",
      "--config.epsilons=(0.0, 32.0)",
      "--config.epsilon=32.0",
      *argv,
    ],
  )
  cli.launch(
    "adversarial",
    prepare=adversarial.prepare,
    run=adversarial.run,
    config_file=adversarial.CONFIG,
  )
  return json.loads((workdir / "result.json").read_text())


def values_of(result):
  return {
    (row["method"], row["metric"]): row["value"] for row in result["rows"]
  }


@pytest.mark.slow
@pytest.mark.usefixtures("fast_steps")
def test_run_trains_networks_or_reads_those_of_a_run(
  tmp_path, capsys, monkeypatch
):
  first, again = tmp_path / "first", tmp_path / "again"
  result = launch(
    monkeypatch, first, "--config.model.blocks=(1,)", "--config.epochs=5"
  )
  rows = values_of(result)
  for method in ("ERM", "mixup, alpha 1"):
    clean, black, white = (
      rows[method, f"top-1 error (%), {attack}"]
      for attack in ("no attack", "black box, I-FGSM", "white box, I-FGSM")
    )
    assert clean < black < white
  assert {
    (c["key"], len(c["values"]))
    for c in result["robustness"]
    if "black" in c["attack"]
  } == {("erm", 1), ("mixup", 2)}
  assert result["strip"]["columns"] == 8
  assert all((first / key / "seed_1").exists() for key in ("erm", "mixup"))
  assert (first / "result.png").exists()
  assert len(result["not_run"]) == 16
  assert "Not run: 16 of the paper's 16 numbers" in capsys.readouterr().out
  found = launch(monkeypatch, again, f"--config.networks={first}")
  assert values_of(found) == rows and not (again / "erm").exists()
  # A run whose checkpoints are of another network than its config.
  path = first / "result.json"
  path.write_text(path.read_text().replace('"width": 8', '"width": 4'))
  with pytest.raises(SystemExit) as stopped:
    launch(monkeypatch, tmp_path / "other", f"--config.networks={first}")
  assert stopped.value.code == 2
  assert "is of another model" in capsys.readouterr().err


def test_measure_attacks_each_network_or_the_first_of_erm(
  monkeypatch, tmp_path, sigterm
):
  """An error is the number of the network that is attacked, and its own."""

  calls = []

  def errors(program, source, tested, examples, *, epsilon, **_):
    calls.append(epsilon)
    if len(calls) == 6:  # In the second of ten attacks, each of four networks.
      sigterm()
    return {name: (source, 10 * state) for name, state in tested.items()}

  monkeypatch.setattr(robustness, "errors", errors)
  methods = (results.ERM, 0), (results.ERM, 1), (MIXUP, 0), (MIXUP, 1)
  states = {name: number for number, name in enumerate(methods, start=1)}
  values = config(epsilons=(0.0, 16.0))
  prepared = adversarial.prepare(values)
  with pytest.raises(preemption.Stopped):
    adversarial.measure(values, prepared, states, tmp_path)
  assert len(calls) == 8 and len(list(tmp_path.rglob("*.json"))) == 2
  monkeypatch.setattr(preemption, "_is_noticed", False)
  found, seconds = adversarial.measure(values, prepared, states, tmp_path)
  assert len(calls) == 3 * 2 * 4 + 2 * 2 and seconds > 0
  assert len(found) == 2 * (3 + 2)  # There is no PGD in the black box.
  for attack in ("FGSM", "I-FGSM", "PGD"):
    for method, own in ((results.ERM, (1, 2)), (MIXUP, (3, 4))):
      white = found[method, f"white box, {attack}"]
      assert white.shape == (2, 2, 2)
      np.testing.assert_array_equal(white[:, 0], [(x, 10 * x) for x in own])
  black = found[results.ERM, "black box, FGSM"]
  np.testing.assert_array_equal(black, [[(1, 20)] * 2])
  black = found[MIXUP, "black box, I-FGSM"]
  np.testing.assert_array_equal(black, [[(1, 30)] * 2, [(1, 40)] * 2])


def test_measure_by_mixes_is_a_row_of_each_attack(monkeypatch, tmp_path):
  def errors(program, source, tested, examples, *, measure, **_):
    return {name: (1 if measure else 0, 2) for name in tested}

  monkeypatch.setattr(robustness, "errors", errors)
  values = config(epsilons=(0.0, 16.0), inference_samples=2)
  prepared = adversarial.prepare(values)
  states = {(results.ERM, 0): 0, (results.ERM, 1): 1}
  found, _ = adversarial.measure(values, prepared, states, tmp_path)
  assert len(found) == 2 * (3 + 2)
  for (_, attack), errors in found.items():
    assert (errors[..., 0] == ("inference" in attack)).all()
  rows = adversarial.rows(values, prepared.subjects.config, found)
  values = {row["metric"]: row["value"] for row in rows}
  for attack in ("no attack", "white box, FGSM", "black box, I-FGSM"):
    name = f"top-1 error (%), {attack}"
    assert (values[name], values[f"{name}, mixup inference"]) == (0, 1)
  assert "white box, PGD, mixup inference" in "".join(values)
  assert len(rows) == 2 * (len(found) + 2)


def test_defence_refuses_images_that_stream():
  found = types.SimpleNamespace(config={"image_size": 64})
  with pytest.raises(ValueError, match="inference_samples=2: .*, so give 0"):
    adversarial.defence(config(inference_samples=2), found, None)


def test_rows_are_at_the_epsilon_of_the_config():
  rows = {
    (row["key"], row["metric"]): row
    for row in adversarial.rows(short(), short(), VALUES)
  }
  assert rows["erm", "top-1 error (%), no attack"]["value"] == 6
  white = rows["erm", "top-1 error (%), white box, FGSM"]
  assert (white["value"], white["n"], white["epochs"]) == (70, 2, 12)
  assert "epochs 12" in white["setting"] and "epsilon 4" in white["setting"]
  black = rows["mixup", "top-5 error (%), black box, FGSM"]
  assert (black["value"], black["n"]) == (5, 1)
  assert black["method"] == "mixup, alpha 1"
  # The paper's networks and images are others.
  found, not_run = results.beside_paper(rows.values(), adversarial.PAPER)
  assert all(row["paper"] is None for row in found) and len(not_run) == 16


def test_rows_of_the_papers_networks_stand_beside_its_numbers():
  theirs = imagenet.get_config("dataset=imagenet2012,model=resnet101,seeds=2")
  rows = adversarial.rows(short(), theirs, VALUES)
  found, not_run = results.beside_paper(rows, adversarial.PAPER)
  paper = {(row["key"], row["metric"]): row["paper"] for row in found}
  assert paper["erm", "top-1 error (%), white box, FGSM"] == 90.7
  assert paper["mixup", "top-5 error (%), black box, FGSM"] == 17.4
  assert len(not_run) == 8  # Those of I-FGSM.
  some = config("dataset=cifar10", num_images=256)
  assert adversarial.setting(some, theirs).endswith("resnet101, 256 images")


def test_paper_has_eight_numbers_of_each_error():
  found = {(x.method, x.metric): x.value for x in adversarial.PAPER}
  assert len(found) == 16
  assert found["ERM", "top-1 error (%), white box, FGSM"] == 90.7
  assert found["mixup", "top-5 error (%), black box, I-FGSM"] == 11.8

  # The ratio of accuracies that the text of the section gives: 2.7 times.
  def right(method):
    return 100 - found[method, "top-1 error (%), white box, FGSM"]

  assert round(right("mixup") / right("ERM"), 1) == 2.7


def test_curves_hold_the_top_1_error_of_every_seed():
  curves = adversarial.curves(short(), short(), VALUES)
  assert len(curves) == 4
  first = curves[0]
  assert (first["method"], first["attack"]) == ("ERM", "white box, FGSM")
  assert first["epsilon"] == [0, 4] and first["values"] == [[5, 60], [7, 80]]


def test_strip_shows_originals_and_a_row_of_each_method(monkeypatch):
  monkeypatch.setattr(
    robustness,
    "adversarial_examples",
    lambda program, state, examples, **_: examples[0] + np.float32(state),
  )
  values = config(num_shown=3)
  prepared = adversarial.prepare(values)
  images = np.full((5, 4, 4, 1), 100, np.uint8), np.zeros(5, np.int32)
  states = {
    (results.ERM, 0): 20,
    (results.ERM, 1): 90,
    (MIXUP, 0): 40,
    (MIXUP, 1): 90,
  }
  shown = adversarial.strip(values, prepared._replace(examples=images), states)
  assert shown["rows"] == [
    "original",
    "I-FGSM on ERM",
    "I-FGSM on mixup, alpha 1",
  ]
  picture = encoding.decode_png(shown["png"])
  assert picture.shape == (3 * 6, 3 * 6) and shown["columns"] == 3
  assert [picture[6 * row + 1, 1] for row in range(3)] == [100, 120, 140]


@pytest.mark.parametrize(
  "changes, message",
  [
    (
      {"epsilons": (0.0, -4.0, 16.0)},
      "config.epsilons must be at least 0, got -4.0",
    ),
    ({"epsilons": (0.0, 4.0)}, "must hold 0 and config.epsilon=16.0"),
    ({"epsilon": -1.0}, "config.epsilon must be at least 0, got -1.0"),
    ({"restarts": 0}, "config.restarts must be at least 1, got 0"),
    ({"seeds": 1}, "a black box needs a second network of ERM, got seeds=1"),
    ({"num_images": 361}, "num_images=361, but digits has 360 test images"),
    ({"networks": "nowhere"}, "nowhere is no finished run of .*imagenet"),
  ],
)
def test_prepare_refuses_bad_configs(changes, message):
  with pytest.raises(ValueError, match=message):
    adversarial.prepare(config(**changes))
