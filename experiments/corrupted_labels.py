"""Section 3.4, Table 2: who learns labels by heart that are noise.

    python -m experiments.corrupted_labels --workdir=DIR \
        --config=configs/corrupted_labels.py:dataset=cifar10,noise=80

Errors on the training images are measured after every epoch without mixing and
augmentation, in evaluation mode, against the labels trained with: on those that
were kept, and on those that were replaced. The paper does not say how it did.
"""

import functools
import pathlib
from typing import Any, NamedTuple

import numpy as np

from configs import cifar
from mixup_jax import results
from mixup_jax.data import corruption
from mixup_jax.data.in_memory import images
from mixup_jax.recipes import in_memory
from mixup_jax.results import recorder as records
from mixup_jax.runtime import cli
from mixup_jax.runtime import jobs
from mixup_jax.train import program as programs
from mixup_jax.train import resident_feed as training

CONFIG = (
  pathlib.Path(__file__).parent.parent / "configs" / "corrupted_labels.py"
)

METRICS = (
  "best test error (%)",
  "last test error (%)",
  "error on kept labels (%)",
  "error on replaced labels (%)",
)
NETWORK = "cifar10, preact_resnet18"  # The paper's.
LAYOUT = results.Layout(lines="metric", columns="method", metrics=[*METRICS])


class Cell(NamedTuple):
  """One line of the table, and one of `config.cells`."""

  share: float  # Of the training labels, replaced by noise.
  alpha: float  # Of mixup; 0 is ERM.
  dropout: float  # The rate; 0 is none.

  def method(self) -> str:
    """Returns the name of the method, with what it was run with."""
    names = [f"mixup, alpha {self.alpha:g}"] if self.alpha else []
    names += [f"dropout, rate {self.dropout:g}"] if self.dropout else []
    if len(names) == 2:
      return f"mixup + dropout, alpha {self.alpha:g}, rate {self.dropout:g}"
    return names[0] if names else "ERM"

  def directory(self) -> str:
    """Returns the name of the cell's directory."""
    return (
      f"replaced_{100 * self.share:g}/alpha_{self.alpha:g}_dropout_"
      f"{self.dropout:g}"
    )

  def setting(self, network: str) -> str:
    """Returns the name of the setting, of the paper's network the share."""
    name = f"{100 * self.share:g} % replaced"
    return name if network == NETWORK else f"{name}; {network}"


# These four metrics: Zhang et al., ICLR 2018, Table 2.
_NONE = (None,) * 4
PAPER: dict[Cell, tuple[float | None, ...]] = {
  Cell(0.2, 0.0, 0.0): (12.7, 16.6, 0.05, 0.28),
  Cell(0.2, 0.0, 0.7): (8.8, 10.4, 5.26, 83.55),
  Cell(0.2, 8.0, 0.0): (5.9, 6.4, 2.27, 86.32),
  Cell(0.2, 4.0, 0.1): (6.2, 6.2, 1.92, 85.02),
  Cell(0.5, 0.0, 0.0): (18.8, 44.6, 0.26, 0.64),
  Cell(0.5, 0.0, 0.8): (14.1, 15.5, 12.71, 86.98),
  Cell(0.5, 32.0, 0.0): (11.3, 12.7, 5.84, 85.71),
  Cell(0.5, 8.0, 0.3): (10.9, 10.9, 7.56, 87.90),
  Cell(0.8, 0.0, 0.0): (36.5, 73.9, 0.62, 0.83),
  Cell(0.8, 0.0, 0.8): (30.9, 35.1, 29.84, 86.37),
  Cell(0.8, 32.0, 0.0): (25.3, 30.9, 18.92, 85.44),
  Cell(0.8, 8.0, 0.3): (24.0, 24.8, 19.70, 87.67),
}


class Prepared(NamedTuple):
  """What a run needs, checked."""

  data: images.ImageSet  # With its true labels.
  programs: dict[Cell, programs.Program]


def prepare(config: Any) -> Prepared:
  """Checks the config, loads the data, and builds a program for each cell."""
  data = in_memory.load(config)
  for values in config.cells:
    if len(values) != 3:
      raise ValueError(
        f"config.cells: {values} is not (share of labels "
        "replaced, alpha, rate of dropout)."
      )
  found = [Cell(*map(float, values)) for values in config.cells]
  for cell in found:
    _replace_labels(config, data, cell.share)
  return Prepared(
    data,
    {
      cell: in_memory.make_program(
        config,
        data,
        transform=in_memory.mixing(config, cell.alpha),
        model={"dropout": cell.dropout},
      )
      for cell in found
    },
  )


def train(
  config: Any, prepared: Prepared, cell: Cell, seed: int, workdir: pathlib.Path
) -> training.Lines:
  """Trains one network on labels of which a share is noise."""
  data, replaced = _replace_labels(config, prepared.data, cell.share)
  parts = {"kept": ~replaced, "replaced": replaced}
  return in_memory.train(
    config,
    prepared.programs[cell],
    data,
    seed=seed,
    workdir=workdir / cell.directory() / f"seed_{seed}",
    measured={
      name: (data.train_images[rows], data.train_labels[rows])
      for name, rows in parts.items()
      if rows.any()
    },
  )


def _replace_labels(
  config: Any, data: images.ImageSet, share: float
) -> tuple[images.ImageSet, Any]:
  """Returns the set with noise, and which labels were replaced."""
  labels, replaced = corruption.corrupt(
    data.train_labels,
    share=share,
    num_classes=data.num_classes,
    seed=config.noise_seed,
    keep_true=config.keep_true,
  )
  return data._replace(train_labels=labels), replaced


def network(config: Any) -> str:
  """Names the set and the network, and in what they are not the paper's."""
  return in_memory.setting(config, cifar.get_config("dataset=cifar10"))


def result_rows(
  config: Any, cell: Cell, runs: list[training.Lines]
) -> list[results.Row]:
  """Makes the rows of one cell from the epochs of every seed."""

  def last(name: str) -> list[float]:
    return [run[-1].get(name, np.nan) for run in runs]

  values = (
    [min(line["test/error"] for line in run) for run in runs],
    last("test/error"),
    last("kept/error"),
    last("replaced/error"),
  )
  name = network(config)
  comparable = name == NETWORK and config.keep_true
  paper = PAPER.get(cell, _NONE) if comparable else _NONE
  return [
    results.summarize(
      numbers,
      setting=cell.setting(name),
      method=cell.method(),
      metric=metric,
      paper=number,
      epochs=config.epochs,
    )
    for metric, numbers, number in zip(METRICS, values, paper)
    if not np.isnan(numbers).any()  # Without noise there is none to learn.
  ]


def rows_not_run(rows: list[results.Row]) -> list[results.Row]:
  """Returns the paper's rows that are not among these."""
  done = {(row["setting"], row["method"]) for row in rows}
  return [
    results.summarize(
      [],
      setting=cell.setting(NETWORK),
      method=cell.method(),
      metric=metric,
      paper=number,
      epochs=200,
    )
    for cell, numbers in PAPER.items()
    if (cell.setting(NETWORK), cell.method()) not in done
    for metric, number in zip(METRICS, numbers)
  ]


def curves(
  config: Any, cell: Cell, runs: list[training.Lines]
) -> list[results.Curve]:
  """Returns the errors over the epochs of every seed."""
  return [
    results.Curve(
      setting=cell.setting(network(config)),
      method=cell.method(),
      key=cell.method(),
      metric=metric,
      epochs=list(range(1, config.epochs + 1)),
      values=[[round(line[key], 4) for line in run] for run in runs],
    )
    for metric, key in (
      ("test", "test/error"),
      ("replaced labels", "replaced/error"),
      ("kept labels", "kept/error"),
    )
    if key in runs[0][0]
  ]


def run(
  config: Any, prepared: Prepared, recorder: records.Recorder
) -> results.Result:
  """Trains every network that is not trained yet, and returns rows."""

  def train_all(cell: Cell) -> list[training.Lines]:
    return [
      train(config, prepared, cell, seed, recorder.workdir)
      for seed in in_memory.seeds(config)
    ]

  names = {cell: cell.directory() for cell in prepared.programs}
  done, failed = jobs.run(
    {name: functools.partial(train_all, cell) for cell, name in names.items()}
  )
  trained = {cell: done[name] for cell, name in names.items() if name in done}
  rows = sum((result_rows(config, *item) for item in trained.items()), [])
  runs = [lines for runs in done.values() for lines in runs]
  return {
    "rows": rows + rows_not_run(rows),
    "curves": sum((curves(config, *item) for item in trained.items()), []),
    "layout": LAYOUT,
    "failed": failed,
    "wall_seconds": round(sum(map(in_memory.seconds, runs)), 2),
  }


if __name__ == "__main__":
  cli.launch("corrupted_labels", prepare=prepare, run=run, config_file=CONFIG)
