"""The training loop. It takes functions, and knows no task."""

import math
from typing import Any, Callable, Iterable, Mapping, TypeVar

import jax

State = TypeVar("State")
Metrics = Mapping[str, Any]


def fit(
    state: State,
    step: Callable[[State, Any], tuple[State, Metrics]],
    batches: Iterable[Any],
    *,
    first_step: int = 0,
    num_steps: int,
    eval_every: int | None = None,
    evaluate: Callable[[State], Metrics] | None = None,
    on_metrics: Callable[[int, Metrics], None] | None = None,
    save: Callable[[int, State], None] | None = None,
) -> State:
  """Runs a training step over batches.

  The metrics of a step are fetched while the next one runs, so that looking at
  them never stalls the device.

  Args:
    state: Any state.
    step: A function `(state, batch) -> (state, metrics)`; jit it.
    batches: At least `num_steps - first_step` batches.
    first_step: The number of steps done before, when a run is resumed.
    num_steps: The number of steps at the end.
    eval_every: Steps between evaluations and saves; there is always one at the
      end.
    evaluate: Measures the state; its metrics go to `on_metrics` too.
    on_metrics: Takes the number of steps done and the metrics as floats.
    save: Takes the number of steps done and the state.

  Returns:
    The state after `num_steps` steps.

  Raises:
    FloatingPointError: If the loss of a step is not finite.
    ValueError: If the batches end too early.
  """
  report = on_metrics or (lambda step_number, metrics: None)
  source = iter(batches)
  pending: Metrics | None = None
  for done in range(first_step, num_steps):
    batch = next(source, None)
    if batch is None:
      raise ValueError(f"the batches ended after {done} of {num_steps} steps: "
                       "repeat the data, or lower num_steps.")
    state, metrics = step(state, batch)
    if pending is not None:
      report(done, _finite(done, pending))
    pending, last = metrics, done + 1 == num_steps
    if last or (eval_every and (done + 1) % eval_every == 0):
      report(done + 1, _finite(done + 1, pending))
      pending = None
      if evaluate is not None:
        report(done + 1, jax.device_get(evaluate(state)))
      if save is not None:
        save(done + 1, state)
  return state


def _finite(step_number: int, metrics: Metrics) -> Metrics:
  """Fetches the metrics of a step, and raises if its loss is not finite."""
  metrics = jax.device_get(metrics)
  loss = float(metrics.get("loss", 0.0))
  if not math.isfinite(loss):
    raise FloatingPointError(
        f"the loss is {loss} at step {step_number}: lower the learning rate, or"
        " look for bad values in the data.")
  return metrics
