"""The rows of a data set, and what its mixed inputs look like."""

from typing import Any

import numpy as np
import scipy.stats

from experiments.vae_mixing import methods
from experiments.vae_mixing import program
from mixup_jax import pictures
from mixup_jax import results

ERROR = "test error (%)"
DIFFERENCE = f"minus {methods.INPUT}, paired (%)"
P_VALUE = "p of that (paired t-test)"
LAYOUT = results.Layout(lines=["setting", "method"],
                        columns="metric",
                        metrics=[ERROR, DIFFERENCE, P_VALUE])
_SCALE = 4  # Pixels of the picture for one of a digit.


def rows(config: Any, dataset: str, curves: Any) -> list[results.Row]:
  """Returns rows for each alpha and method.

  Args:
    config: The config.
    dataset: Its name.
    curves: What the program returned, with axes `[seeds, alphas]` first.

  Returns:
    Means over the seeds, differences from mixup of inputs seed by seed, and the
    ELBO of the VAE.
  """
  found = []
  for index, alpha in enumerate(config.alphas):
    # In their order: what comes from a device is in that of the alphabet.
    errors = {name: curves["error"][name][:, index] for name in methods.NAMES}

    def add(method: str, metric: str, values: Any) -> results.Row:
      found.append(
          results.summarize(values,
                            setting=f"{dataset}, alpha {alpha:g}",
                            method=method,
                            metric=metric,
                            paper=None,
                            epochs=config.epochs))
      return found[-1]

    for method, values in errors.items():
      add(method, ERROR, values)
      difference = values - errors[methods.INPUT]
      if difference.any():  # Else there is nothing to test.
        add(method, DIFFERENCE, difference)
        p_value = float(scipy.stats.ttest_1samp(difference, 0).pvalue)
        row = add(method, P_VALUE, [p_value])
        # With more digits than a row has: it may be very small.
        row["value"], row["decimals"] = float(f"{p_value:.3g}"), 4
    for name, bound in zip(("training", "test"), curves["elbo"]):
      add("VAE", f"ELBO of {name} inputs (nats)", bound[:, index])
  return found


def strips(curves: Any, shape: tuple[int, int]) -> list[results.Strip]:
  """Returns the pairs of the first seed, mixed in each way.

  Args:
    curves: What the program returned.
    shape: Height and width of an input.

  Returns:
    A strip for each way, a line of images a pair.
  """
  made = []
  for name in (methods.INPUT, methods.CODES, methods.RECONSTRUCTIONS):
    shown = curves["shown"][name]
    images = shown[0, 0].reshape(shown.shape[2:4] + shape)
    # A white line between neighbours.
    padded = np.pad(np.kron(images.clip(0, 1), np.ones((_SCALE, _SCALE))),
                    ((0, 0), (0, 0), (1, 1), (1, 1)),
                    constant_values=1)
    pairs, lams, height, width = padded.shape
    joined = padded.transpose(0, 2, 1, 3).reshape(pairs * height, lams * width)
    made.append(
        results.Strip(rows=[name] * pairs,
                      columns=len(program.LAMS),
                      png=pictures.encode(
                          np.rint(255 * joined).astype(np.uint8))))
  return made
