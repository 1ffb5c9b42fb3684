"""The rows of the result: errors, and differences to input mixup."""

import functools
from typing import Any

import numpy as np

from experiments.vae_mixing import methods
from mixup_jax import results

ERROR = "test error (%)"
DIFFERENCE = "minus input mixup, paired (%)"
ELBO = "ELBO of test rows (nats)"
LEFT = "not reconstructed (%)"
LAYOUT = results.Layout(
  lines="method",
  columns="metric",
  metrics=[ERROR, DIFFERENCE, results.P_VALUE, ELBO, LEFT],
)


def rows(
  config: Any,
  setting: str,
  autoencoder: dict[str, np.ndarray],
  errors: dict[str, np.ndarray],
) -> list[results.Row]:
  """Makes the rows of a set.

  Args:
    config: The config; of it the epochs count.
    setting: The name of the set and of what is special about it.
    autoencoder: What was measured of it, `[seeds]` each.
    errors: The test error of each method in per cent, `[seeds]`.

  Returns:
    Errors of all methods; of all but input mixup, if that was run, the
    differences to it, and with two seeds the test; and two rows of the
    autoencoder.
  """
  row = functools.partial(results.summarize, setting=setting, paper=None)
  names = methods.METHODS
  made = [
    row(values, method=names[key], metric=ERROR, epochs=config.epochs)
    for key, values in errors.items()
  ]
  for key, values in errors.items():
    if key == "mixup" or "mixup" not in errors:
      continue
    difference = values - errors["mixup"]
    of = functools.partial(row, method=names[key], epochs=config.epochs)
    made.append(of(difference, metric=DIFFERENCE))
    if len(values) > 1:
      test = of(difference, metric=results.P_VALUE)
      p = results.paired_t_test(difference)
      made.append({**test, "value": float(f"{p:.3g}"), "std": 0.0})
  left = 100 * autoencoder["left"] / autoencoder["whole"]
  of = functools.partial(row, method="the VAE", epochs=config.vae_epochs)
  return [*made, of(autoencoder["elbo"], metric=ELBO), of(left, metric=LEFT)]
