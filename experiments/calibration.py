"""Calibration of ERM and mixup, with and without temperature scaling.

    python -m experiments.calibration --config=configs/calibration.py:seeds=5

A share of the training images is held out to fit the temperature; everything is
measured on the test images. Networks of mixup also have rescaled predictions,
without an image held out.
"""

import pathlib
import time
from typing import Any, Callable, NamedTuple

import jax
import numpy as np

from configs import calibration as configs
from configs import cifar
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.data import splits
from mixup_jax.data.in_memory import images
from mixup_jax.evaluation import calibration
from mixup_jax.evaluation import predict
from mixup_jax.evaluation import rescaled
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import subjects
from mixup_jax.results.recorder import Recorder
from mixup_jax.runtime import cli
from mixup_jax.train.state import TrainState

CONFIG = pathlib.Path(configs.__file__)

Logits = tuple[np.ndarray, np.ndarray]  # With their labels.
Predict = Callable[..., np.ndarray]  # As `predict.make_predict` returns it.


class Prepared(NamedTuple):
  """Validated inputs of `run`."""

  subjects: subjects.Subjects  # Their data lacks the images that are held out.
  held_out: predict.Examples


def prepare(config: Any) -> Prepared:
  """Checks the config, loads and splits the data, and builds all programs."""
  if config.networks:
    raise ValueError(
      f"config.networks={config.networks}: networks of another run were "
      "trained on the images that the temperature is fitted on, so give ''."
    )
  data, held_out = hold_out(config, in_memory.load(config))
  return Prepared(subjects.make(config, data), held_out)


def hold_out(
  config: Any, data: images.ImageSet
) -> tuple[images.ImageSet, predict.Examples]:
  """Divides the training images, evenly over the classes."""
  train, held = splits.stratified_split(
    data.train_labels,
    train_fraction=1 - config.held_out,
    seed=config.held_out_seed,
  )
  rest = data._replace(
    train_images=data.train_images[train], train_labels=data.train_labels[train]
  )
  return rest, (data.train_images[held], data.train_labels[held])


def setting(config: Any) -> str:
  """Names set, network, and overrides relative to section 3.2's config."""
  paper = cifar.get_config(f"dataset=cifar10,model={config.model.name}")
  name = in_memory.setting(config, paper)
  return f"{name}, {100 * config.held_out:g} % held out"


def rows(
  config: Any,
  method: results.Method,
  test: list[Logits],
  temperatures: list[float],
) -> list[results.Row]:
  """Makes a row of each number, over the seeds."""
  measured = [
    calibration.measure(logits, labels, temperature=temperature)
    for (logits, labels), temperature in zip(test, temperatures)
  ]
  return [
    results.summarize(
      [numbers[metric] for numbers in measured],
      setting=setting(config),
      method=method,
      metric=metric,
      epochs=config.epochs,
    )
    for metric in measured[0]
  ]


def reliability(
  config: Any,
  method: results.Method,
  test: list[Logits],
  temperatures: list[float],
) -> results.Reliability:
  """Returns the diagram of a method, over the predictions of all seeds."""
  each = [
    calibration.predictions(logits / np.float32(temperature), labels)
    for (logits, labels), temperature in zip(test, temperatures)
  ]
  bins = calibration.equal_width(*map(np.concatenate, zip(*each)))
  filled = bins.share > 0
  return results.Reliability(
    setting=setting(config),
    method=method.label,
    key=method.key,
    confidence=bins.confidence[filled].round(5).tolist(),
    accuracy=bins.accuracy[filled].round(5).tolist(),
    share=bins.share[filled].round(5).tolist(),
    error=round(100 * bins.error(), 4),
  )


def is_rescaled(config: Any, method: results.Method) -> bool:
  """Returns whether it is known how a method shrinks inputs and targets.

  It is of mixup that mixes every batch, up to the last.
  """
  mix = config.mix
  is_whole = mix.probability == 1 and not mix.plain_last_epochs
  return method.key == "mixup" and is_whole


def rescaled_logits(
  config: Any, data: images.ImageSet, predicted: Predict, state: TrainState
) -> np.ndarray:
  """Returns logarithms of the rescaled predictions of the test images.

  They are at least the smallest step of float32 from 1, so that a class that is
  ruled out costs 16 nats where it is right, and not infinitely many.
  """
  labels = data.test_labels
  classes = np.bincount(data.train_labels, minlength=data.num_classes)
  with jax.transfer_guard("allow"):  # Once a network, and outside of a step.
    found = rescaled.rescaled_predictions(
      lambda pixels: jax.numpy.asarray(
        predicted(
          state, (np.asarray(pixels), labels), batch_size=config.eval_batch_size
        )
      ),
      jax.numpy.asarray(data.test_images, jax.numpy.float32),
      alpha=config.mix.alpha,
      mean_input=data.train_images.mean(0, dtype=np.float32),
      mean_target=classes / classes.sum(),
    )
    return np.log(np.maximum(found, np.finfo(np.float32).eps))


def run(config: Any, prepared: Prepared, recorder: Recorder) -> results.Result:
  """Trains every network, scales its logits, and measures them."""
  found, held_out = prepared
  tested = found.data.test_images, found.data.test_labels
  predicted = predict.make_predict(
    found.model, found.data, sharding.make_mesh()
  )
  test: dict[results.Method, list[Logits]] = {}
  fitted: dict[results.Method, list[float]] = {}
  moved: dict[results.Method, list[Logits]] = {}
  seconds = 0.0
  for network in subjects.trained(config, found, recorder.workdir):
    start = time.perf_counter()
    held, logits = (
      predicted(network.state, examples, batch_size=config.eval_batch_size)
      for examples in (held_out, tested)
    )
    test.setdefault(network.method, []).append((logits, tested[1]))
    fitted.setdefault(network.method, []).append(
      calibration.fit_temperature(held, held_out[1])
    )
    if is_rescaled(config, network.method):
      logits = rescaled_logits(config, found.data, predicted, network.state)
      moved.setdefault(network.method, []).append((logits, tested[1]))
    seconds += network.seconds + time.perf_counter() - start
  made, diagrams = [], []
  for method in found.programs:
    scaled, back = (
      method._replace(label=f"{method.label}, {how}")
      for how in ("temperature scaled", "rescaled")
    )
    ones = [1.0] * len(test[method])
    measured = [
      (method, test[method], ones),
      (scaled, test[method], fitted[method]),
    ]
    if method in moved:
      measured.append((back, moved[method], ones))
    for name, found_logits, temperatures in measured:
      made += rows(config, name, found_logits, temperatures)
      diagrams.append(reliability(config, name, found_logits, temperatures))
  return {
    "rows": made,
    "reliability": diagrams,
    "wall_seconds": round(seconds, 2),
  }


if __name__ == "__main__":
  cli.launch("calibration", prepare=prepare, run=run, config_file=CONFIG)
