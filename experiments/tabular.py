"""Section 3.6, Table 4: ERM and mixup on tables, all seeds in one program.

    python -m experiments.tabular --config=configs/tabular.py:dataset=all

All runs of a table, ERM and every alpha alike, are one compiled program
(`mixup_jax.train.sweep`). For each seed the methods share split, weights and
order of the data, so their difference has a smaller spread than either. Splits
of one table overlap, which the standard errors take into account.

With `configs/tabular.py:map` it does so under each protocol of `config.grid`,
and shows how far each is from the paper's numbers. The same command with the
same working directory resumes after the last group of seeds that has ended.
"""

import os
import pathlib
from typing import Any, Callable

import jax
import numpy as np
import tqdm

from configs import tabular as configs
from mixup_jax import models
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.data import problems
from mixup_jax.data.in_memory import images
from mixup_jax.recipes import assemble
from mixup_jax.recipes import checks
from mixup_jax.recipes import mixing
from mixup_jax.recipes import protocol
from mixup_jax.recipes import ranges
from mixup_jax.recipes import small_sets
from mixup_jax.results import protocols
from mixup_jax.results.recorder import Recorder
from mixup_jax.runtime import cli
from mixup_jax.train import optim
from mixup_jax.train import sweep
from mixup_jax.train import trial

CONFIG = pathlib.Path(__file__).parent.parent / "configs" / "tabular.py"

ERROR = "test error (%)"
# Test error in per cent, ERM and mixup: Zhang et al., ICLR 2018, Table 4.
PAPER = {
  "abalone": (74.0, 73.6),
  "arcene": (57.6, 48.0),
  "arrhythmia": (56.6, 46.3),
  "htru2": (2.0, 2.0),
  "iris": (21.3, 17.3),
  # The paper says "Phishing" alone. With its network and half of the rows, an
  # error near 16 % is that of this one of the two UCI sets: 14, against 5.
  "website_phishing": (16.3, 15.2),
}
MAJORITY = results.Method("majority_class", "majority class")
NUM_CLOSEST = 3  # Protocols of a map that its table shows.
Problems = dict[str, problems.Problem]  # By the name of the table.
Errors = dict[str, protocols.Errors]
LAYOUT = results.Layout(
  lines="setting", columns="method", metrics=[ERROR, results.DIFFERENCE]
)


def methods(config: Any) -> list[results.Method]:
  """Returns ERM, then a method an alpha, or one if alpha changes nothing."""
  mixed = []
  for alpha in config.alphas:
    mixed.append(mixing.check(mixing.changed(config.mix, alpha=alpha)))
  return [results.ERM, *dict.fromkeys(mixed)]


def options(config: Any) -> dict[str, np.ndarray]:
  """Returns what differs between the methods, `[methods]` each."""
  made = methods(config)
  return {
    "alpha": np.asarray([method.alpha for method in made], np.float32),
    "enabled": np.asarray([method != results.ERM for method in made]),
  }


def make_program(config: Any, problem: problems.Problem) -> jax.stages.Wrapped:
  """Builds the program that trains on a table."""

  def transform(method: dict[str, Any]) -> Callable[..., Any]:
    """Returns the transform of a method; for ERM the same, switched off."""
    made = _transform(config, problem, method["alpha"])

    def switched(*batch: Any, enabled: Any, **more: Any) -> Any:
      return made(*batch, enabled=enabled & method["enabled"], **more)

    return switched

  steps_per_epoch = -(-problem.splits.train_rows.shape[1] // config.batch_size)
  network = trial.classifier(
    models.build(num_classes=problem.num_classes, **config.model),
    optim.build(**config.optimizer),
    transform=transform,
    **mixing.plain_steps(config.mix, config.epochs, steps_per_epoch),
  )
  return sweep.make_program(
    network,
    sharding.make_mesh(),
    batch_size=config.batch_size,
    epochs=config.epochs,
  )


def _transform(
  config: Any, problem: problems.Problem, alpha: jax.typing.ArrayLike
) -> mixing.Transform:
  """Returns the transform of a config with another alpha."""
  return mixing.TRANSFORMS[config.mix.name](
    {**config.mix, "alpha": alpha},
    problem.num_classes,
    lambda function: function,  # Partners are those of a batch, on a device.
  )


def prepare(config: Any) -> dict[str, Problems]:
  """Checks the config, and loads and splits every table for each protocol."""
  ranges.check(config)
  checks.at_least(config, batch_size=2)
  if not config.datasets:
    raise ValueError("config.datasets is empty: name a table such as 'iris'.")
  made = methods(config)
  if config.grid and not (
    PAPER.keys() & set(config.datasets)
    and config.mix.name == "mixup"
    and len(made) > 1
  ):
    raise ValueError(
      "config.grid is for a map of distances to the paper's numbers of mixup: "
      f"it needs config.mix.name=mixup, not {config.mix.name}, an alpha, of "
      f"{config.alphas}, and one of the paper's tables, of {config.datasets}."
    )
  loaded = {}
  for where, one in protocol.grid(config).items():
    loaded[where] = {n: small_sets.load(one, n) for n in config.datasets}
    for problem in loaded[where].values():
      make_program(one, problem)  # Names a wrong model or optimiser.
  for problem in next(iter(loaded.values())).values() if config.alphas else ():
    assemble.check_transform(
      _transform(config, problem, config.alphas[0]),
      models.build(num_classes=problem.num_classes, **config.model),
      problem.example(),
      config.batch_size,
    )
  return loaded


def setting(config: Any, name: str) -> str:
  """Names a table, and overrides relative to the paper's config."""
  named = {"alphas"}
  if name in images.IMAGE_SETS:  # Which have a scale, and nothing missing.
    named |= {"scaling", "missing", "categorical"}
  return protocol.setting(name, config, configs.get_config(), named=named)


def paper_numbers(erm: str = results.ERM.label) -> list[results.PaperNumber]:
  """Returns the paper's numbers, with the name of rows of ERM."""
  return [
    results.PaperNumber(name, method, ERROR, value)
    for name, values in PAPER.items()
    for method, value in zip((erm, "mixup"), values)
  ]


def result_rows(
  config: Any, name: str, problem: problems.Problem, error: np.ndarray
) -> list[results.Row]:
  """Makes the rows of one table from `[seeds, methods]` test errors."""

  def row(
    method: results.Method, metric: str, values: np.ndarray
  ) -> results.Row:
    return results.summarize(
      values,
      setting=setting(config, name),
      method=method,
      metric=metric,
      epochs=config.epochs,
      overlap=problem.overlap(),
    )

  guess = np.bincount(problem.labels).argmax()
  majority = 100 * np.mean(problem.labels[problem.splits.test_rows] != guess, 1)
  erm, *mixed = columns = list(zip(methods(config), error.T))
  return [
    row(MAJORITY, ERROR, majority),
    *(row(method, ERROR, values) for method, values in columns),
    *(row(m, results.DIFFERENCE, values - erm[1]) for m, values in mixed),
  ]


def run(
  config: Any, loaded: dict[str, Problems], recorder: Recorder
) -> results.Result:
  """Trains on every table under each protocol, and returns the result."""
  errors: dict[str, Errors] = {where: {} for where in loaded}
  seconds = 0.0
  seeds = len(loaded) * len(config.datasets) * config.seeds
  with tqdm.tqdm(total=seeds, unit="seed", desc="tabular") as progress:
    for where, one in protocol.grid(config).items():
      for name, problem in loaded[where].items():
        place = str(pathlib.Path(where.replace(", ", "_"), name))
        progress.set_postfix_str(place)
        curves = sweep.train(
          make_program(one, problem),
          problem,
          options(one),
          mesh=sharding.make_mesh(),
          workdir=recorder.workdir / place,
          first_seed=one.first_seed,
          seeds_per_device=one.seeds_per_device,
          on_group=progress.update,
        )
        if not np.isfinite(curves["loss"]).all():
          raise FloatingPointError(
            f"the loss on {place} is not finite: lower optimizer.learning_rate."
          )
        seconds += float(curves["seconds"])
        record(one, place, curves, recorder)
        found = protocols.Errors(curves["error"], problem.overlap())
        errors[where][name] = found
      if where:
        jax.clear_caches()  # The memory maps of programs are limited.
  result = (
    map_of_protocols(config, loaded, errors)
    if config.grid
    else table(config, loaded[""], errors[""])
  )
  return {**result, "layout": LAYOUT, "wall_seconds": round(seconds, 2)}


def table(config: Any, loaded: Problems, errors: Errors) -> results.Result:
  """Returns the rows of one protocol."""
  rows = [
    row
    for name, found in errors.items()
    for row in result_rows(config, name, loaded[name], found.values)
  ]
  rows, not_run = results.beside_paper(rows, paper_numbers())
  return {"rows": rows, "not_run": not_run}


def map_of_protocols(
  config: Any, loaded: dict[str, Problems], errors: dict[str, Errors]
) -> results.Result:
  """Returns maps of all protocols, and rows of the closest at their alpha."""
  labels = methods(config)
  rows: list[results.Row] = []
  for where, best in protocols.closest(errors, PAPER, NUM_CLOSEST).items():
    chosen = {labels[0].label, labels[best].label}
    for name, found in errors[where].items():
      rows += [
        {**row, "setting": name, "method": f"{row['method']}; {where}"}
        for row in result_rows(config, name, loaded[where][name], found.values)
        if row["method"] in chosen
      ]
  rows.sort(key=lambda row: row["key"] != results.ERM.key)  # ERM beside ERM.
  numbers = paper_numbers(erm=results.ERM.key)  # Of all labels of ERM.
  rows, not_run = results.beside_paper(rows, numbers)
  maps = protocols.heat_maps(errors, PAPER, labels)
  return {"rows": rows, "not_run": not_run, "heat_maps": maps}


def record(
  config: Any, name: str, curves: sweep.Curves, recorder: Recorder
) -> None:
  """Records the loss of each epoch and the error, as means over the seeds."""
  labels = [method.label for method in methods(config)]
  loss, error = curves["loss"].mean(0), curves["error"].mean(0)
  for epoch, values in enumerate(loss.T, start=1):
    lines = {f"{name}/{x}/loss": value for x, value in zip(labels, values)}
    recorder.metrics(epoch, lines)
  lines = {f"{name}/{x}/error": value for x, value in zip(labels, error)}
  recorder.metrics(config.epochs, lines)


if __name__ == "__main__":
  cli.launch(
    "tabular",
    prepare=prepare,
    run=run,
    config_file=CONFIG,
    cpu_devices=os.cpu_count(),
  )
