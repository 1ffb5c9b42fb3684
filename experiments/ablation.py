"""Section 3.8, Table 5: which part of mixup helps.

    python -m experiments.ablation --config=configs/ablation.py:dataset=cifar10

Each network has a directory of its own below the working directory; the same
command resumes from the latest checkpoint. A network that diverges stops no
other, and is named at the end.
"""

import difflib
import functools
import pathlib
from typing import Any, NamedTuple

import numpy as np

from configs import ablation as configs
from mixup_jax import results
from mixup_jax.data.in_memory import images
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import mixing
from mixup_jax.recipes import neighbors
from mixup_jax.recipes import summary
from mixup_jax.results.recorder import Recorder
from mixup_jax.runtime import cli
from mixup_jax.runtime import jobs
from mixup_jax.train.program import Program
from mixup_jax.train.run import Lines

CONFIG = pathlib.Path(configs.__file__)
PAPER = configs.get_config("dataset=cifar10")
METRICS = {in_memory.MEDIAN: in_memory.median_of_last}
LAYOUT = results.Layout(
  lines="method", columns="setting", metrics=[in_memory.MEDIAN]
)


class Network(NamedTuple):
  """A network of the table: a row, and a column."""

  row: str
  weight_decay: float

  def name(self) -> str:
    """Returns the name of its directory."""
    return f"{self.row}/{decay_name(self.weight_decay)}".replace(" ", "_")


class Prepared(NamedTuple):
  """Validated inputs of `run`."""

  data: images.ImageSet
  rows: dict[str, configs.Row]
  programs: dict[Network, Program]
  neighbors: dict[str, np.ndarray]  # By `configs.Row.neighbors`.


def choose(config: Any) -> dict[str, configs.Row]:
  """Returns the rows of a config, each once.

  Raises:
    ValueError: If there is no such row, or the network is not deep enough.
  """
  chosen: dict[str, configs.Row] = {}
  names = tuple(config.rows)
  for name in configs.ALL_ROWS if names == ("all",) else names:
    if name not in configs.ROWS:
      close = difflib.get_close_matches(name, configs.ROWS, n=1)
      hint = f" Did you mean {close[0]!r}?" if close else ""
      raise ValueError(
        f"unknown row {name!r}.{hint} Known are all, {', '.join(configs.ROWS)}."
      )
    row, stages = configs.ROWS[name], len(config.model.blocks)
    deepest = max((row.mix or {}).get("layers", ()), default=0)
    if deepest > stages + 1:
      raise ValueError(
        f"row {name} mixes at depth {deepest}, but a network of {stages} "
        f"stages ends at {stages + 1}: give config.model.blocks one number for "
        f"each of {deepest - 1} stages, or leave out the row."
      )
    chosen[name] = row
  return chosen


def method(config: Any, name: str) -> results.Method:
  """Returns the method of a row; that of "mix" is of `config.mix`."""
  if name == "mix":
    return mixing.method(config.mix)
  return results.Method(name, configs.ROWS[name].label, config.mix.alpha)


def prepare(config: Any) -> Prepared:
  """Checks the config, loads the data, and builds a program for each network.

  If rows need the table of neighbours, it is found or read here.
  """
  rows = choose(config)
  mixing.check(config.mix)
  data = in_memory.load(config)
  networks = [Network(row, x) for row in rows for x in config.weight_decays]
  if not networks:
    raise ValueError(
      "there is nothing to run: config.rows is "
      f"{tuple(config.rows)} and config.weight_decays "
      f"{tuple(config.weight_decays)}, name one of each."
    )
  programs = {
    network: make_program(config, data, network) for network in networks
  }
  tables = {
    kind: neighbors.find(
      data.train_images,
      k=config.k,
      labels=data.train_labels if kind == "same class" else None,
      cache=neighbors.directory(config.data_dir),
    )
    for kind in {row.neighbors for row in rows.values()} - {""}
  }
  return Prepared(data, rows, programs, tables)


def make_program(
  config: Any, data: images.ImageSet, network: Network
) -> Program:
  """Makes the program of a row at a weight decay."""
  row = configs.ROWS[network.row]
  own = dict(row.mix or {})
  if row.ends_early:
    mixed = round(config.mixed_share * config.epochs)
    own["plain_last_epochs"] = config.epochs - mixed
  return in_memory.make_program(
    config,
    data,
    results.ERM if row.mix is None else method(config, network.row),
    mix=mixing.changed(config.mix, **own),
    optimizer={"weight_decay": network.weight_decay},
  )


def decay_name(weight_decay: float) -> str:
  """Returns words such as "weight decay 1e-4"."""
  number = np.format_float_scientific(weight_decay, trim="-", exp_digits=1)
  return f"weight decay {number}"


def setting(config: Any, weight_decay: float) -> str:
  """Names the weight decay, and overrides relative to the paper's config."""
  # The label of a row that ends early does not name the share.
  where = in_memory.setting(config, PAPER, named=("weight_decays",))
  if config.mix.alpha != PAPER.mix.alpha:
    where += f", alpha {config.mix.alpha:g}"
  name = decay_name(weight_decay)
  if where == in_memory.setting(PAPER, PAPER):
    return name
  return f"{name}: {where}"


def paper_numbers() -> list[results.PaperNumber]:
  """Returns the numbers of Table 5."""
  return [
    results.PaperNumber(decay_name(decay), row.label, in_memory.MEDIAN, error)
    for row in configs.ROWS.values()
    if row.paper
    for decay, error in zip(PAPER.weight_decays, row.paper)
  ]


def run(config: Any, prepared: Prepared, recorder: Recorder) -> results.Result:
  """Trains every network, and returns the table."""

  def train(network: Network, seed: int) -> Lines:
    kind = prepared.rows[network.row].neighbors
    return in_memory.train(
      config,
      prepared.programs[network],
      prepared.data,
      seed=seed,
      workdir=recorder.workdir / network.name() / f"seed_{seed}",
      neighbors=prepared.neighbors.get(kind),
    )

  seeds = in_memory.seeds(config)
  done, failed = jobs.run(
    {
      (network, seed): functools.partial(train, network, seed)
      for network in prepared.programs
      for seed in seeds
    },
    name=lambda key: f"{key[0].name()}/seed_{key[1]}",
  )
  rows = []
  for network in prepared.programs:
    lines = [done[network, x] for x in seeds if (network, x) in done]
    if lines:
      rows += summary.rows(
        lines,
        METRICS,
        setting=setting(config, network.weight_decay),
        method=method(config, network.row),
        epochs=config.epochs,
      )
  rows, not_run = results.beside_paper(rows, paper_numbers())
  return {
    "rows": rows,
    "not_run": not_run,
    "layout": LAYOUT,
    "failed": failed,
    "wall_seconds": summary.wall_seconds([list(done.values())]),
  }


if __name__ == "__main__":
  cli.launch(
    "ablation", prepare=prepare, run=run, config_file=CONFIG, of_networks=True
  )
