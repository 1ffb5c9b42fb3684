"""Calibration of ERM and mixup, with and without temperature scaling.

    python -m experiments.calibration --config=configs/calibration.py:seeds=5

A share of the training images is held out, for the temperature alone; the
numbers are of the test images.
"""

import pathlib
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from configs import cifar as configs
from mixup_jax import metrics
from mixup_jax import models
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.data import augment
from mixup_jax.data import splits
from mixup_jax.data.in_memory import images
from mixup_jax.evaluation import calibration
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import pretrained
from mixup_jax.results import recorder as records
from mixup_jax.runtime import cli
from mixup_jax.train import backend
from mixup_jax.train import program as programs
from mixup_jax.train import state as states

CONFIG = pathlib.Path(__file__).parent.parent / "configs" / "calibration.py"

METRICS = (
  "test error (%)",
  "NLL (nats)",
  "Brier score",
  "ECE, equal width (%)",
  "ECE, equal mass (%)",
  "confidence minus accuracy (%)",
  "temperature",
)
LAYOUT = results.Layout(lines="metric", columns="method", metrics=list(METRICS))
Logits = tuple[np.ndarray, np.ndarray]  # With their labels.


class Prepared(NamedTuple):
  """What a run needs, checked."""

  data: images.ImageSet  # Without the images that are held out.
  held_out: tuple[np.ndarray, np.ndarray]
  programs: dict[str, programs.Program]  # By method.
  predict: Any


def prepare(config: Any) -> Prepared:
  """Checks the config, loads and splits the data, builds all programs."""
  if config.networks:
    raise ValueError(
      f"config.networks={config.networks}: networks of another "
      "run were trained on the images that the temperature is "
      "fitted on, so give ''."
    )
  if not 0 < config.held_out < 1:
    raise ValueError(
      "config.held_out must be between 0 and 1, got "
      f"{config.held_out}: it is a share of the images."
    )
  whole = in_memory.load(config)
  train, held = splits.stratified_split(
    whole.train_labels,
    train_fraction=1 - config.held_out,
    seed=config.held_out_seed,
  )
  data = whole._replace(
    train_images=whole.train_images[train],
    train_labels=whole.train_labels[train],
  )
  made = {
    method: in_memory.make_program(
      config, data, transform=in_memory.mixing(config, alpha)
    )
    for method, alpha in pretrained.methods(config.alpha).items()
  }
  return Prepared(
    data,
    (whole.train_images[held], whole.train_labels[held]),
    made,
    make_predict(config, data),
  )


def make_predict(config: Any, data: images.ImageSet) -> Any:
  """Compiles a function from a state and uint8 images to their logits."""
  model = models.build(
    num_classes=data.num_classes,
    dtype=backend.compute_dtype(config.precision),
    **config.model,
  )

  def predict(state: states.TrainState, pixels: jax.Array) -> jax.Array:
    inputs = augment.normalize(pixels, mean=data.mean, std=data.std)
    logits: Any = model.apply(state.variables(), inputs, train=False)
    return logits

  return jax.jit(
    predict,
    out_shardings=sharding.replicated(sharding.make_mesh()),
    compiler_options=backend.compiler_options("run often"),
  )


def all_logits(
  config: Any,
  predict: Any,
  state: states.TrainState,
  examples: tuple[np.ndarray, np.ndarray],
) -> Logits:
  """Returns the logits of all examples, batch by batch, with their labels."""
  pixels, labels = examples
  size, found = config.eval_batch_size, []
  where = sharding.sharded(sharding.make_mesh())
  for begin in range(0, len(labels), size):
    # The last batch is filled up: one shape, one compilation.
    rows = np.arange(begin, begin + size) % len(labels)
    found.append(
      jax.device_get(predict(state, sharding.put(pixels[rows], where)))
    )
  return np.concatenate(found)[: len(labels)], labels


def measure(logits: Logits, temperature: float) -> list[float]:
  """Returns `METRICS` of logits at a temperature."""
  scaled = logits[0] / np.float32(temperature), logits[1]
  with jax.transfer_guard("allow"):  # Small numbers, and not in a step.
    sums = metrics.classification(*map(jnp.asarray, scaled))
    means = {k: float(v) for k, v in sums.means().items()}
  confidence, right = calibration.predictions(*scaled)
  return [
    means["error"],
    means["nll"],
    means["brier"],
    means["ece"],
    100 * calibration.equal_mass(confidence, right).error(),
    100 * float(np.mean(confidence) - np.mean(right)),
    temperature,
  ]


def reliability(
  config: Any, method: str, logits: list[Logits], temperatures: list[float]
) -> results.Reliability:
  """Returns the diagram of a method, over the predictions of all seeds."""
  each = [
    calibration.predictions(x / np.float32(t), labels)
    for (x, labels), t in zip(logits, temperatures)
  ]
  confidence, right = (np.concatenate(part) for part in zip(*each))
  bins = calibration.equal_width(confidence, right)
  filled = bins.share > 0

  def as_list(x: np.ndarray) -> list[float]:
    return x[filled].round(5).tolist()

  return results.Reliability(
    setting=setting(config),
    method=method,
    key=method,
    confidence=as_list(bins.confidence),
    accuracy=as_list(bins.accuracy),
    share=as_list(bins.share),
    error=round(100 * bins.error(), 4),
  )


def setting(config: Any) -> str:
  """Names the set and the network, and in what they are not section 3.2's."""
  paper = configs.get_config(f"dataset=cifar10,model={config.model.name}")
  return (
    f"{in_memory.setting(config, paper)}, {100 * config.held_out:g} % held out"
  )


def run(
  config: Any, prepared: Prepared, recorder: records.Recorder
) -> results.Result:
  """Trains every network, scales its logits, and measures them."""
  rows: list[results.Row] = []
  diagrams = []
  seconds = 0.0
  for method, program in prepared.programs.items():
    held: list[Logits] = []
    test: list[Logits] = []
    for seed in in_memory.seeds(config):
      state, trained = pretrained.get(
        config, program, prepared.data, method, seed, recorder.workdir
      )
      start = time.perf_counter()
      data = prepared.data
      for found, examples in (
        (held, prepared.held_out),
        (test, (data.test_images, data.test_labels)),
      ):
        found.append(all_logits(config, prepared.predict, state, examples))
      seconds += trained + time.perf_counter() - start
    fitted = [calibration.fit_temperature(*each) for each in held]
    for name, temperatures in (
      (method, [1.0] * len(fitted)),
      (f"{method}, temperature scaled", fitted),
    ):
      values = [measure(*each) for each in zip(test, temperatures)]
      rows += [
        results.summarize(
          numbers,
          setting=setting(config),
          method=name,
          metric=metric,
          paper=None,
          epochs=config.epochs,
        )
        for metric, numbers in zip(METRICS, zip(*values))
      ]
      diagrams.append(reliability(config, name, test, temperatures))
  return {
    "rows": rows,
    "layout": LAYOUT,
    "reliability": diagrams,
    "wall_seconds": round(seconds, 2),
  }


if __name__ == "__main__":
  cli.launch("calibration", prepare=prepare, run=run, config_file=CONFIG)
