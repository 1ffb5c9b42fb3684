"""Figures 1b and 2: what ERM and mixup do in between the training examples.

    python -m experiments.in_between
    python -m experiments.in_between --config=configs/in_between.py:part=rings

Part "rings" trains on two rings in the plane, and "pairs" looks at networks
between pairs of images. The config says where the networks come from.
"""

import pathlib
from typing import Any

from experiments.in_between import pairs
from experiments.in_between import rings
from mixup_jax import results
from mixup_jax.results import recorder as records
from mixup_jax.runtime import cli

CONFIG = pathlib.Path(__file__).parents[2] / "configs" / "in_between.py"
PARTS = ("rings", "pairs", "all")


def prepare(config: Any) -> dict[str, Any]:
  """Checks the config, and returns what each of its parts needs."""
  if config.part not in PARTS:
    raise ValueError(
      f"unknown part {config.part!r}: choose one of {', '.join(PARTS)}."
    )
  prepared: dict[str, Any] = {}
  if config.part != "pairs":
    prepared["rings"] = rings.prepare(config.rings)
  if config.part != "rings":
    prepared["pairs"] = pairs.prepare(config)
  return prepared


def run(
  config: Any, prepared: dict[str, Any], recorder: records.Recorder
) -> results.Result:
  """Runs the parts, and puts their results together."""
  parts: list[Any] = []
  if "rings" in prepared:
    parts.append(rings.run(config.rings, prepared["rings"]))
  if "pairs" in prepared:
    parts.append(pairs.run(config, prepared["pairs"], recorder.workdir))
  result: Any = {name: value for part in parts for name, value in part.items()}
  result["rows"] = [row for part in parts for row in part["rows"]]
  seconds = sum(part["wall_seconds"] for part in parts)
  result["wall_seconds"] = round(seconds, 2)
  metrics = list(dict.fromkeys(row["metric"] for row in result["rows"]))
  if len(metrics) > 1:  # Of a single one, the table is as usual.
    result["layout"] = results.Layout(
      lines="metric", columns="method", metrics=metrics
    )
  return result


if __name__ == "__main__":
  cli.launch("in_between", prepare=prepare, run=run, config_file=CONFIG)
