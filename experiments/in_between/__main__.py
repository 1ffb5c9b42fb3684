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
from mixup_jax import cli
from mixup_jax import records
from mixup_jax import results

CONFIG = pathlib.Path(__file__).parents[2] / "configs" / "in_between.py"
PARTS = ("rings", "pairs", "all")


def prepare(config: Any) -> dict[str, Any]:
  """Checks the config, and returns what each of its parts needs."""
  if config.part not in PARTS:
    raise ValueError(f"unknown part {config.part!r}: choose one of "
                     f"{', '.join(PARTS)}.")
  needed = {"rings": lambda: rings.prepare(config.rings),
            "pairs": lambda: pairs.prepare(config)}  # yapf: disable
  return {name: prepare_part() for name, prepare_part in needed.items()
          if config.part in (name, "all")}  # yapf: disable


def run(config: Any, prepared: dict[str, Any],
        recorder: records.Recorder) -> results.Result:
  """Runs the parts, and puts their results together."""
  result: Any = {"rows": [], "wall_seconds": 0.0}
  parts = {
      "rings": lambda needed: rings.run(config.rings, needed),
      "pairs": lambda needed: pairs.run(config, needed, recorder.workdir)
  }
  for name, needed in prepared.items():
    part = parts[name](needed)
    result |= {
        **part, "rows": result["rows"] + part["rows"],
        "wall_seconds": round(result["wall_seconds"] + part["wall_seconds"], 2)
    }
  metrics = list(dict.fromkeys(row["metric"] for row in result["rows"]))
  if len(metrics) > 1:
    result["layout"] = results.Layout(lines=["setting", "metric"],
                                      columns="method",
                                      metrics=metrics)
  return result


if __name__ == "__main__":
  cli.launch("in_between", prepare=prepare, run=run, config_file=CONFIG)
