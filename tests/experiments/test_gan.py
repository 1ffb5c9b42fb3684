"""Tests of section 3.7, with one run from end to end."""

import json
import sys

import jax
import numpy as np
import pytest

from configs import gan as configs
from experiments import gan
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.gan import modes
from mixup_jax.gan import payloads
from mixup_jax.gan.run import Outcome
from mixup_jax.runtime import cli

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])


@pytest.mark.slow
def test_launch_runs_and_does_not_play_twice(tmp_path, capsys, monkeypatch):
  monkeypatch.setattr(sharding, "make_mesh", lambda: ONE_DEVICE)
  monkeypatch.setattr(
    sys,
    "argv",
    [
      "gan",
      f"--config={gan.CONFIG}:smoke,dataset=ring,method=mixup",
      f"--workdir={tmp_path}",
      "--config.hidden=(8,)",
      "--config.iterations=20",
      "--config.short_iterations=10",
      "--config.measure_every=10",
      "--config.snapshots=(5, 20)",
      "--config.num_shown=9",
    ],
  )

  def launch():
    cli.launch("gan", prepare=gan.prepare, run=gan.run, config_file=gan.CONFIG)
    return json.loads((tmp_path / "result.json").read_text())

  first = launch()
  assert "modes covered" in capsys.readouterr().out
  assert {row["n"] for row in first["rows"]} == {1, 2}
  assert {row["key"] for row in first["rows"]} == {"mixup"}
  assert first["snapshots"][0]["iterations"] == [5, 20]
  assert first["snapshots"][0]["key"] == "mixup"
  assert (tmp_path / "result.png").exists()
  again = launch()
  assert again["rows"] == first["rows"]  # Read, and not played again.
  assert again["snapshots"] == first["snapshots"]
  assert again["wall_seconds"] == first["wall_seconds"]


def test_method_of_names_the_batch_and_the_loss():
  def names(batch, loss="saturating"):
    return gan.method_of(batch, loss, 0.2)

  assert names("erm") == results.ERM
  assert names("mixup") == ("mixup", "mixup, alpha 0.2", 0.2)
  assert names("mixup_code", "non_saturating") == (
    "mixup_code_non_saturating",
    "mixup as in the code, U(0, 0.2), non-saturating",
    0.2,
  )


def test_plan_has_a_run_for_every_combination():
  config = configs.get_config("method=erm+mixup,loss=saturating+non_saturating")
  found = gan.plan(config)
  assert len(found) == 2 * 2 * 2
  assert len({run.name for run in found}) == len(found)
  assert {run.hidden for run in found} == {config.hidden}
  assert {run.learning_rate for run in found} == {config.learning_rate}
  assert [run.dataset for run in found] == ["grid"] * 4 + ["ring"] * 4
  config = configs.get_config("part=stability")
  found = gan.plan(config)
  assert len(found) == 2 * len(config.widths) * len(config.learning_rates)
  assert found[-1].hidden == (128, 128, 128)
  assert {len(run.seeds) for run in found} == {config.seeds}


def test_plan_lets_the_first_seeds_play_to_the_end():
  found = gan.plan(three_seeds())
  assert [(run.seeds, run.iterations) for run in found] == [
    (range(0, 1), 200),
    (range(1, 3), 100),
  ]
  for long_seeds in (3, 9):
    config = three_seeds()
    config.long_seeds = long_seeds
    (run,) = gan.plan(config)
    assert (run.seeds, run.iterations) == (range(3), 200)
  config.long_seeds = 0
  (run,) = gan.plan(config)
  assert (run.seeds, run.iterations) == (range(3), 100)


def three_seeds():
  """Returns a config of three seeds, of which one plays to the end."""
  config = configs.get_config("seeds=3,dataset=ring,method=mixup")
  config.long_seeds, config.num_shown = 1, 4
  config.iterations, config.short_iterations = 200, 100
  config.snapshots = (10, 200)
  return config


def outcome(run):
  """Returns a run in which seed s covers s modes, and one more at the end."""
  lines = [
    {
      "step": step,
      **{
        f"{metric}/seed_{seed}": seed + (step == 200)
        for metric in modes.METRICS
        for seed in run.seeds
      },
    }
    for step in range(100, run.iterations + 1, 100)
  ]
  return Outcome(run.seeds, lines, np.full((len(run.seeds), 2, 4, 2), 0.5))


def test_result_rows_have_all_seeds_that_played_so_long():
  config = three_seeds()
  runs = gan.plan(config)
  outcomes = {run.name: outcome(run) for run in runs}
  rows = gan.result_rows(config, runs, outcomes)
  found = {(row["setting"], row["metric"]): row for row in rows}
  first = found["ring, after 100 iterations", "modes covered"]
  assert (first["value"], first["n"]) == (1, 3)
  last = found["ring, after 200 iterations", "modes covered"]
  assert (last["value"], last["n"]) == (1, 1)
  assert {row["method"] for row in rows} == {"mixup, alpha 0.2"}
  made = results.blocks({"rows": rows, "layout": gan.LAYOUT})
  lines = [line for block in made for line in block.cells[1:]]
  assert len(found) == len(lines) == 6


def test_result_rows_name_a_width_that_is_not_the_papers():
  config = three_seeds()
  for hidden, name in (
    ((8, 8, 8), "ring, width 8"),
    ((8, 8), "ring, width 8, hidden layers (8, 8)"),
  ):
    config.hidden = hidden
    runs = gan.plan(config)
    outcomes = {run.name: outcome(run) for run in runs}
    rows = gan.result_rows(config, runs, outcomes)
    assert {row["setting"] for row in rows} == {
      f"{name}, after 100 iterations",
      f"{name}, after 200 iterations",
    }


def test_result_rows_of_stability_are_the_runs():
  config = configs.get_config("part=stability,method=erm,seeds=2")
  config.widths, config.learning_rates = (8, 16), (1e-3, 1e-2, 1e-1)
  config.iterations = config.short_iterations = 100
  runs = gan.plan(config)
  assert len(runs) == 6 and runs[-1].hidden == (16, 16, 16)
  outcomes = {run.name: outcome(run) for run in runs[:-1]}
  rows = gan.result_rows(config, runs, outcomes)
  assert [row["n"] for row in rows] == [2] * 5 + [0]
  assert rows[0]["setting"].endswith("width 8, rate 0.001")
  assert {row["metric"] for row in rows} == {"modes covered"}
  assert payloads.heat_maps(runs, outcomes)[0]["values"][1][-1] is None


@pytest.mark.parametrize(
  "changes, words",
  [
    ({"part": "mode"}, "unknown config.part 'mode': choose one of modes, stab"),
    ({"methods": ("erm", "mixed")}, "unknown config.methods 'mixed'"),
    ({"datasets": ("spiral",)}, "unknown config.datasets 'spiral'"),
    ({"generator_losses": ("hinge",)}, "unknown config.generator_losses 'hin"),
    ({"seeds": 0}, "config.seeds must be at least 1, got 0"),
    ({"first_seed": -1}, "config.first_seed must be at least 0, got -1"),
    ({"num_shown": 0}, "config.num_shown must be at least 1, got 0"),
    ({"alpha": 1.5, "methods": ("mixup_code",)}, "draws lam from U"),
    ({"alpha": -1.0}, "alpha must be at least 0"),
    ({"alpha": 0.0}, "config.alpha=0 plays another game than mixup"),
    ({"methods": ("erm", "erm")}, "methods=.* one value at least, each once"),
    ({"datasets": ()}, "datasets=.* must have one value at least"),
    ({"widths": (8, 8)}, "widths=.* each once"),
    ({"hidden": ()}, "config.hidden is empty"),
    ({"learning_rate": 0.0}, "learning_rate must be above 0, got 0.0"),
    ({"learning_rate": float("nan")}, "must be above 0, got nan"),
    ({"iterations": 1_500}, "config.iterations=1500 is no multiple of config"),
    ({"short_iterations": 5}, "config.short_iterations=5 is no multiple of"),
  ],
)
def test_prepare_refuses_bad_configs(changes, words):
  config = configs.get_config()
  config.update(changes)
  with pytest.raises(ValueError, match=words):
    gan.prepare(config)


def test_prepare_accepts_every_part():
  assert len(gan.prepare(configs.get_config())) == 4
  for argument in ("smoke", "part=stability", "smoke,part=stability"):
    config = configs.get_config(argument)
    assert gan.prepare(config) == gan.plan(config)
  config.alpha = 1.5  # Of a Beta distribution, there is no largest alpha.
  assert gan.prepare(config)
  assert gan.prepare(configs.get_config("method=mixup_code"))
