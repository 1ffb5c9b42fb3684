"""Shows how far a run is: a bar on a terminal, in a log a line now and then."""

import math
import sys
import time
from typing import Any, Callable, Iterable, Iterator, Mapping, TypeVar

import jax
import tqdm

from mixup_jax.train import goodput
from mixup_jax.train import peak

T = TypeVar("T")
_EVERY = 30.0  # Seconds between two lines.
_END = object()


class Progress:
  """What a run shows on stderr, of the first process alone.

  Use it as a context manager.
  """

  def __init__(
    self,
    name: str,
    *,
    first_step: int,
    num_steps: int,
    batch_size: int = 0,
    clock: Callable[[], float] = time.monotonic,
  ):
    """Shows a bar if stderr is a terminal.

    Args:
      name: Of the run.
      first_step: The number of steps done before.
      num_steps: The number of steps at its end.
      batch_size: The examples of a step; 0 gives the speed in steps.
      clock: Returns seconds.
    """
    self._name, self._num_steps, self._clock = name, num_steps, clock
    self._batch_size = batch_size
    self._step = self._shown_step = first_step
    self._shown_at, self._waited = clock(), 0.0
    self._loss, self._measured = math.nan, ""
    self._flops: float | None = None  # Of a step; None until it is counted.
    is_first = jax.process_index() == 0
    self._writes_lines = is_first and not sys.stderr.isatty()
    self._bar = tqdm.tqdm(
      total=num_steps,
      initial=first_step,
      desc=name,
      unit="step",
      disable=not is_first or self._writes_lines,
    )

  def __enter__(self) -> "Progress":
    return self

  def __exit__(self, *_: object) -> None:
    if self._step > self._shown_step:
      self._write_line()
    self._bar.close()

  def waiting(self, batches: Iterable[T]) -> Iterator[T]:
    """Yields the batches, and counts for how long each is waited for."""
    source = iter(batches)
    while True:
      start = self._clock()
      with goodput.timed("input"):
        batch: Any = next(source, _END)
      self._waited += self._clock() - start
      if batch is _END:
        return
      yield batch

  def counting(self, step: jax.stages.Wrapped) -> Callable[..., Any]:
    """Returns a step whose first call counts its FLOP, if a peak is known."""

    def call(*args: Any) -> Any:
      if self._writes_lines and self._flops is None and peak.is_known():
        self._flops = peak.flops(step.lower(*args))
      return step(*args)

    return call

  def step(self, done: int, metrics: Mapping[str, Any]) -> None:
    """Shows the number of steps done, and the loss of the last one."""
    self._bar.update(done - self._step)
    self._step = done
    self._loss = metrics.get("loss", self._loss)
    if self._clock() - self._shown_at >= _EVERY:
      self._write_line()

  def measured(self, loss: float, means: Mapping[str, float]) -> None:
    """Shows the loss of an epoch, and an error or the first other number."""
    name = next((x for x in means if x.endswith("/error")), next(iter(means)))
    unit = " %" if name.endswith("/error") else ""
    label = name.replace("/", " ") if unit else name
    self._measured = f", {label} {means[name]:.2f}{unit}"
    self._bar.set_postfix_str(f"loss {loss:.3f}{self._measured}")

  def _write_line(self) -> None:
    """Writes a line, with the speed since the line before."""
    seconds = max(self._clock() - self._shown_at, 1e-9)
    rate = (self._step - self._shown_step) / seconds
    speed = f"{rate:,.1f} steps/s"
    if self._batch_size:
      speed = f"{rate * self._batch_size:,.0f} examples/s"
    if self._flops:
      speed += f", {100 * peak.share(self._flops, rate):.1f} % of the bf16 peak"
    if self._writes_lines:
      print(
        f"{self._name}: step {self._step} of {self._num_steps}, "
        f"loss {self._loss:.3f}{self._measured}, {speed}, "
        f"{100 * self._waited / seconds:.0f} % waiting for data",
        file=sys.stderr,
        flush=True,
      )
    self._shown_step, self._shown_at = self._step, self._clock()
    self._waited = 0.0
