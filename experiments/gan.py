"""Section 3.7: GANs on Gaussians in the plane, with ERM and with mixup.

    python -m experiments.gan --config=configs/gan.py:smoke
    python -m experiments.gan --workdir=RUN

ERM trains the discriminator on real and on generated points, mixup on means of
the two, whose target is the share of the real one. The generator's step sees
generated points that are not mixed, as in the released code, or with the loss
"min_max" those of the discriminator, as in the formula. The paper has no
numbers: it shows points of one generator each, at 10 to 20,000 iterations. Part
"modes" draws that figure, and counts the modes that the points cover; part
"stability" counts them over learning rates and widths. The seeds of a run are
one compiled program (`mixup_jax.gan`). The same command with the same working
directory resumes from the latest checkpoint.
"""

import functools
import itertools
import pathlib
from typing import Any, Mapping

from configs import gan as configs
from mixup_jax import results
from mixup_jax.data import toy
from mixup_jax.gan import losses
from mixup_jax.gan import modes
from mixup_jax.gan import payloads
from mixup_jax.gan.run import Outcome
from mixup_jax.gan.run import play
from mixup_jax.gan.run import Run
from mixup_jax.recipes import checks
from mixup_jax.recipes import protocol
from mixup_jax.recipes import ranges
from mixup_jax.results.recorder import Recorder
from mixup_jax.runtime import cli
from mixup_jax.runtime import jobs

CONFIG = pathlib.Path(configs.__file__)
METRICS = {"modes": modes.METRICS, "stability": modes.METRICS[:1]}  # By part.
LAYOUT = results.Layout(
  lines="metric", columns="method", metrics=list(modes.METRICS)
)
_LABELS = {
  "erm": "ERM",
  "mixup": "mixup, alpha {:g}",
  "mixup_code": "mixup as in the code, U(0, {:g})",
}
# Fields of the config that `play` takes as they are.
_OPTIONS = (
  *("batch_size", "discriminator_steps", "num_latents"),
  *("measure_every", "num_points", "snapshots", "num_shown"),
)


def method_of(batch: str, generator_loss: str, alpha: float) -> results.Method:
  """Returns the method that has this batch and this loss of the generator."""
  key, label = batch, _LABELS[batch].format(alpha)
  if generator_loss != "saturating":  # The released code's.
    key += f"_{generator_loss}"
    label += f", {generator_loss.replace('_', '-')}"
  return results.Method(key, label, 0.0 if batch == "erm" else alpha)


def plan(config: Any) -> list[Run]:
  """Returns the runs: each method on each data set, at each size."""
  first, end = config.first_seed, config.first_seed + config.seeds
  middle = end  # Seeds from here on play `short_iterations`.
  networks = [(width,) * len(config.hidden) for width in config.widths]
  rates = config.learning_rates
  if config.part == "modes":
    middle = min(first + config.long_seeds, end)
    networks, rates = [tuple(config.hidden)], (config.learning_rate,)
  lengths = (
    (range(first, middle), config.iterations),
    (range(middle, end), config.short_iterations),
  )
  return [
    Run(
      dataset,
      method_of(batch, loss, config.alpha),
      batch=batch,
      generator_loss=loss,
      hidden=hidden,
      learning_rate=rate,
      seeds=seeds,
      iterations=iterations,
    )
    for seeds, iterations in lengths
    if seeds
    for dataset in config.datasets
    for batch in config.methods
    for loss in config.generator_losses
    for hidden in networks
    for rate in rates
  ]


def prepare(config: Any) -> list[Run]:
  """Checks the config, and returns the runs."""
  checks.choice("config.part", config.part, METRICS)
  for name, known in (
    ("datasets", toy.GAUSSIAN_CENTERS),
    ("methods", losses.DISCRIMINATOR_BATCHES),
    ("generator_losses", losses.GENERATOR_LOSSES),
  ):
    checks.each_once(config, name)
    for value in config[name]:
      checks.choice(f"config.{name}", value, known)
  checks.each_once(config, "widths", "learning_rates")
  ranges.check(config)
  if not config.hidden:
    raise ValueError("config.hidden is empty: give a width or more.")
  mixing = sorted(set(config.methods) - {"erm"})
  if mixing and not config.alpha:
    raise ValueError(
      f"config.alpha=0 plays another game than {mixing[0]}: give one above 0, "
      "or method=erm."
    )
  if config.alpha > 1 and "mixup_code" in config.methods:
    raise ValueError(
      f"config.alpha must be from 0 to 1, got {config.alpha}: mixup_code "
      "draws lam from U(0, alpha)."
    )
  for name in ("iterations", "short_iterations"):
    if config[name] % config.measure_every:
      raise ValueError(
        f"config.{name}={config[name]} is no multiple of config.measure_every="
        f"{config.measure_every}: a run ends with a measurement."
      )
  return plan(config)


def run(config: Any, prepared: list[Run], recorder: Recorder) -> results.Result:
  """Plays all runs, or resumes them, and returns rows and figures."""
  options = {name: config[name] for name in _OPTIONS}
  options |= {"workdir": recorder.workdir, "config": config.to_dict()}
  outcomes, failed = jobs.run(
    {one.name: functools.partial(play, one, **options) for one in prepared}
  )
  result = results.Result(
    rows=result_rows(config, prepared, outcomes),
    failed=failed,
    wall_seconds=round(sum(each.seconds() for each in outcomes.values()), 2),
  )
  if config.part == "stability":
    result["heat_maps"] = payloads.heat_maps(prepared, outcomes)
  else:
    result["layout"] = LAYOUT
    result["snapshots"] = payloads.snapshots(
      prepared, outcomes, iterations=config.snapshots
    )
  return result


def result_rows(
  config: Any, runs: list[Run], outcomes: Mapping[str, Outcome]
) -> list[results.Row]:
  """Returns rows over all seeds that played so long; n is 0 if they failed."""
  found: dict[tuple[str, results.Method, str], list[float]] = {}
  lengths = sorted({one.iterations for one in runs})
  for dataset, length in itertools.product(config.datasets, lengths):
    for one in runs:
      # A long run was measured where the short ones end.
      if one.dataset == dataset and length <= one.iterations:
        for metric in METRICS[config.part]:
          row = setting(config, one, length), one.method, metric
          found.setdefault(row, [])
          if one.name in outcomes:
            found[row] += outcomes[one.name].values(metric, length)
  return [
    results.summarize(
      values, setting=where, method=method, metric=metric, epochs=0
    )
    for (where, method, metric), values in found.items()
  ]


def setting(config: Any, one: Run, iterations: int) -> str:
  """Returns data set, length, and overrides relative to the paper's config."""
  width, after = one.hidden[0], f"after {iterations:,} iterations"
  own = ("num_latents", "batch_size", "discriminator_steps", "num_points")
  paper = configs.get_config()
  words = protocol.overrides(config, {name: paper[name] for name in own})
  if one.hidden != (width,) * len(paper.hidden):
    words.append(f"hidden layers {one.hidden}")
  if config.part == "stability":
    words = [f"width {width}", f"rate {one.learning_rate:g}", *words]
    return ", ".join([one.dataset, after, *words])
  if one.learning_rate != paper.learning_rate:
    words.insert(0, f"rate {one.learning_rate:g}")
  if width != paper.hidden[0]:
    words.insert(0, f"width {width}")
  return ", ".join([one.dataset, *words, after])


if __name__ == "__main__":
  cli.launch("gan", prepare=prepare, run=run, config_file=CONFIG)
