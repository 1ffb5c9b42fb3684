"""Section 3.4, Table 2: which methods memorize labels that are noise.

    python -m experiments.corrupted_labels --workdir=DIR \
        --config=configs/corrupted_labels.py:dataset=cifar10,noise=80

Errors on the training images are measured after every epoch without mixing and
augmentation, in evaluation mode, against the labels trained with: on those that
were kept, and on those that were replaced. The paper does not state how it did.
Each seed has noise of its own, unless `noise_seed` fixes it, and exactly the
stated share is replaced, instead of each label with that probability.
"""

import functools
import pathlib
from typing import Any, NamedTuple

import numpy as np

from configs import corrupted_labels as configs
from mixup_jax import results
from mixup_jax.data import corruption
from mixup_jax.data.in_memory import images
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import mixing
from mixup_jax.recipes import summary
from mixup_jax.results.recorder import Recorder
from mixup_jax.runtime import cli
from mixup_jax.runtime import jobs
from mixup_jax.runtime import storage
from mixup_jax.train.program import Program
from mixup_jax.train.run import Lines

CONFIG = pathlib.Path(configs.__file__)
NETWORK = "cifar10, preact_resnet18"  # The paper's.


class Network(NamedTuple):
  """A line of the table, and one of `config.cells`."""

  share: float  # Of the training labels, replaced by noise.
  alpha: float  # Of mixup; 0 is ERM.
  dropout: float  # The rate; 0 is none.

  def directory(self) -> str:
    """Returns the name of its directory."""
    return (
      f"replaced_{100 * self.share:g}/alpha_{self.alpha:g}_dropout_"
      f"{self.dropout:g}"
    )


METRICS = {
  "best test error (%)": lambda lines: min(
    line["test/error"] for line in lines
  ),
  "last test error (%)": summary.last("test/error"),
  "error on kept labels (%)": summary.last("kept/error"),
  "error on replaced labels (%)": summary.last("replaced/error"),
}
# These metrics of each network: Zhang et al., ICLR 2018, Table 2.
TABLE_2 = {
  (0.2, "ERM"): (12.7, 16.6, 0.05, 0.28),
  (0.2, "dropout, rate 0.7"): (8.8, 10.4, 5.26, 83.55),
  (0.2, "mixup, alpha 8"): (5.9, 6.4, 2.27, 86.32),
  (0.2, "mixup + dropout, alpha 4, rate 0.1"): (6.2, 6.2, 1.92, 85.02),
  (0.5, "ERM"): (18.8, 44.6, 0.26, 0.64),
  (0.5, "dropout, rate 0.8"): (14.1, 15.5, 12.71, 86.98),
  (0.5, "mixup, alpha 32"): (11.3, 12.7, 5.84, 85.71),
  (0.5, "mixup + dropout, alpha 8, rate 0.3"): (10.9, 10.9, 7.56, 87.90),
  (0.8, "ERM"): (36.5, 73.9, 0.62, 0.83),
  (0.8, "dropout, rate 0.8"): (30.9, 35.1, 29.84, 86.37),
  (0.8, "mixup, alpha 32"): (25.3, 30.9, 18.92, 85.44),
  (0.8, "mixup + dropout, alpha 8, rate 0.3"): (24.0, 24.8, 19.70, 87.67),
}
LAYOUT = results.Layout(lines="metric", columns="method", metrics=list(METRICS))
CURVES = {
  "test": "test/error",
  "replaced labels": "replaced/error",
  "kept labels": "kept/error",
}


class Prepared(NamedTuple):
  """Validated inputs of `run`."""

  data: images.ImageSet  # With its true labels.
  programs: dict[Network, Program]


def method(config: Any, network: Network) -> results.Method:
  """Returns the method: of mixing and dropout none, one or both."""
  rate = f"rate {network.dropout:g}"
  if not network.alpha:
    dropout = results.Method("dropout", f"dropout, {rate}")
    return dropout if network.dropout else results.ERM
  mix = mixing.changed(config.mix, alpha=network.alpha)
  mixed = mixing.method(mix)
  if not network.dropout:
    return mixed
  name, options = mixing.describe(mix)
  label = f"{name} + dropout, {options}, {rate}"
  return results.Method(f"{mixed.key}_dropout", label, network.alpha)


def setting(config: Any, share: float) -> str:
  """Names the share of noise, and a network that is not the paper's."""
  paper = configs.get_config("dataset=cifar10")
  network = in_memory.setting(config, paper, named=("keep_true",))
  name = f"{100 * share:g} % replaced"
  if not config.keep_true:
    name += ", never by the true label"
  if config.eval_every != paper.eval_every:  # Which the best epoch depends on.
    name += f", measured every {config.eval_every} epochs"
  return name if network == NETWORK else f"{name}; {network}"


def paper_numbers() -> list[results.PaperNumber]:
  """Returns the numbers of Table 2."""
  return [
    results.PaperNumber(f"{100 * share:g} % replaced", label, metric, number)
    for (share, label), numbers in TABLE_2.items()
    for metric, number in zip(METRICS, numbers)
  ]


def prepare(config: Any) -> Prepared:
  """Checks the config, loads the data, and builds a program a network."""
  data = in_memory.load(config)
  for values in config.cells:
    if len(values) != 3:
      raise ValueError(
        f"config.cells: {values} is not (share of labels "
        "replaced, alpha, rate of dropout)."
      )
  networks = [Network(*map(float, values)) for values in config.cells]
  for network in networks:
    replace_labels(config, data, network.share, config.first_seed)
  programs = {
    network: in_memory.make_program(
      config,
      data,
      results.ERM if not network.alpha else method(config, network),
      mix=mixing.changed(config.mix, alpha=network.alpha),
      model={"dropout": network.dropout},
    )
    for network in networks
  }
  return Prepared(data, programs)


def replace_labels(
  config: Any, data: images.ImageSet, share: float, seed: int
) -> tuple[images.ImageSet, np.ndarray]:
  """Returns the set of a seed with noise, and which labels were replaced."""
  labels, replaced = corruption.corrupt(
    data.train_labels,
    share=share,
    num_classes=data.num_classes,
    seed=seed if config.noise_seed < 0 else config.noise_seed,
    keep_true=config.keep_true,
  )
  return data._replace(train_labels=labels), replaced


def train(
  config: Any, prepared: Prepared, network: Network, workdir: storage.Path
) -> list[Lines]:
  """Trains a network for each seed on labels of which a share is noise."""

  def train_seed(seed: int) -> Lines:
    data, replaced = replace_labels(config, prepared.data, network.share, seed)
    parts = {"kept": ~replaced, "replaced": replaced}
    return in_memory.train(
      config,
      prepared.programs[network],
      data,
      seed=seed,
      workdir=workdir / network.directory() / f"seed_{seed}",
      measured={
        name: (data.train_images[rows], data.train_labels[rows])
        for name, rows in parts.items()
        if rows.any()
      },
    )

  return [train_seed(seed) for seed in in_memory.seeds(config)]


def run(config: Any, prepared: Prepared, recorder: Recorder) -> results.Result:
  """Trains every network that is not trained yet; returns rows and curves."""
  train_one = functools.partial(train, config, prepared)
  trained, failed = jobs.run(
    {
      network: functools.partial(train_one, network, recorder.workdir)
      for network in prepared.programs
    },
    name=Network.directory,
  )
  table = summary.tabulate(
    (
      (setting(config, network.share), method(config, network), lines)
      for network, lines in trained.items()
    ),
    metrics=METRICS,
    curve_keys=CURVES,
    paper=paper_numbers(),
    epochs=config.epochs,
  )
  return {**table, "layout": LAYOUT, "failed": failed}


if __name__ == "__main__":
  cli.launch(
    "corrupted_labels",
    prepare=prepare,
    run=run,
    config_file=CONFIG,
    of_networks=True,
  )
