"""The training loop, independent of the task."""

import math
from typing import Any, Callable, Collection, Iterable, Mapping, TypeVar

import jax
import numpy as np

from mixup_jax.runtime import preemption

State = TypeVar("State")
Metrics = Mapping[str, Any]


def fit(
  state: State,
  step: Callable[[State, Any], tuple[State, Metrics]],
  batches: Iterable[Any],
  *,
  first_step: int = 0,
  num_steps: int,
  eval_steps: Collection[int] = (),
  evaluate: Callable[[State], Metrics] | None = None,
  on_metrics: Callable[[int, Metrics], None] | None = None,
  save: Callable[[int, State], None] | None = None,
  save_due: Callable[[int], bool] | None = None,
  stop: Callable[[int], bool] | None = None,
) -> State:
  """Runs a training step over batches.

  The metrics of a step are fetched while the next one runs, so that reading
  them never stalls the device.

  Args:
    state: Any state.
    step: A function `(state, batch) -> (state, metrics)`; jit it. It may do
      several steps at once: its metrics are then vectors, one entry per step.
    batches: Batches for `num_steps - first_step` steps or more.
    first_step: The number of steps done before, for a resumed run.
    num_steps: The number of steps at the end of the run.
    eval_steps: The steps to evaluate after, and the last one. If `step` does
      several steps at once, each of these must end a batch.
    evaluate: Evaluates the state; its metrics go to `on_metrics` too.
    on_metrics: Takes the number of steps done and the metrics as floats.
    save: Takes the number of steps done and the state.
    save_due: Takes the number of steps done; returns whether to save. Without
      it, `eval_steps` are saved. The last step is, in any case.
    stop: Takes the number of steps done; returns whether to save and stop.

  Returns:
    The state after `num_steps` steps.

  Raises:
    FloatingPointError: If the loss of a step is not finite.
    Stopped: If `stop` returned True before the last step.
    ValueError: If the batches end too early.
  """
  report = on_metrics or (lambda step_number, metrics: None)
  source = iter(batches)
  pending: tuple[int, Metrics] | None = None
  done = first_step
  while done < num_steps:
    batch = next(source, None)
    if batch is None:
      raise ValueError(
        f"the batches ended after {done} of {num_steps} steps: "
        "repeat the data, or lower num_steps."
      )
    state, metrics = step(state, batch)
    _report(pending, report)
    pending = done, metrics
    done += np.size(next(iter(metrics.values())))
    measured = done >= num_steps or done in eval_steps
    stopped = stop is not None and stop(done)
    due = save_due(done) if save_due else measured
    saved = due or stopped or done >= num_steps
    if measured or saved:
      _report(pending, report)
      pending = None
    if measured and evaluate is not None:
      report(done, jax.device_get(evaluate(state)))
    if saved and save is not None:
      save(done, state)
    if stopped and done < num_steps:
      raise preemption.Stopped(f"stopped after step {done}")
  return state


def _report(
  pending: tuple[int, Metrics] | None, report: Callable[[int, Metrics], None]
) -> None:
  """Fetches pending metrics, and reports those of each step."""
  if pending is None:
    return
  before, metrics = pending
  fetched = {k: np.atleast_1d(v) for k, v in jax.device_get(metrics).items()}
  for number, values in enumerate(zip(*fetched.values()), start=before + 1):
    report(number, _finite(number, dict(zip(fetched, values))))


def _finite(step_number: int, metrics: Metrics) -> Metrics:
  """Returns the metrics of a step; raises if its loss is not finite."""
  loss = float(metrics.get("loss", 0.0))
  if math.isfinite(loss):
    return metrics
  others = ", ".join(
    f"{name} {float(value):g}"
    for name, value in metrics.items()
    if name != "loss"
  )
  raise FloatingPointError(
    f"the loss is {loss} at step {step_number}{others and f' ({others})'}: "
    "lower the learning rate, or look for bad values in the data."
  )
