"""Defaults of a backend: precision, steps per dispatch, compiler options."""

import contextlib
import functools
from typing import Any, Iterator

import jax
import jax.numpy as jnp

_CPU_OPTIONS: dict[str, dict[str, Any]] = {
  # XLA's newer CPU library takes 1.3 to 1.6 times as long for convolutions as
  # the older one, and a fifth for sums over a batch of maps: this option leaves
  # convolutions to the older one.
  "run often": {
    "xla_cpu_experimental_ynn_fusion_type": (
      "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT,LIBRARY_FUSION_TYPE_REDUCE"
    )
  },
  # Code that draws many parameters takes a minute to optimise and a moment to
  # run.
  "run once": {"xla_backend_optimization_level": 0},
}
_assumed: list[str] = []
_PRECISIONS = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}


def compute_dtype(precision: str) -> jax.typing.DTypeLike:
  """Returns the dtype of activations; parameters are always float32.

  Args:
    precision: "float32", "bfloat16", or "auto": float32 on a CPU, and bfloat16
      elsewhere.

  Returns:
    The dtype.

  Raises:
    ValueError: If the precision is unknown.
  """
  if precision == "auto":
    precision = "float32" if on_cpu() else "bfloat16"
  if precision not in _PRECISIONS:
    raise ValueError(
      f"unknown precision {precision!r}: choose auto, {', '.join(_PRECISIONS)}."
    )
  return _PRECISIONS[precision]


def steps_per_dispatch(wanted: int) -> int:
  """Returns the number of steps per call of a compiled program.

  Args:
    wanted: The number, or 0 for the default of the backend: 1 on a CPU, where
      the gradient of a convolution inside a scan takes 5 to 35 times as long,
      and 100 elsewhere, which hides the dispatch time of all but the smallest
      models.

  Returns:
    The number.

  Raises:
    ValueError: If it is negative.
  """
  if wanted < 0:
    raise ValueError(
      f"steps_per_dispatch must be at least 0, got {wanted}: "
      "0 is the default of the backend."
    )
  return wanted or (1 if on_cpu() else 100)


def compiler_options(use: str) -> dict[str, Any] | None:
  """Returns options for `jax.jit`, or None if the backend needs none.

  Args:
    use: "run often" for a program of convolutions, "run once" for one that
      takes longer to compile than to run.

  Returns:
    The options, or None if the compiler does not know them: they are
    experimental.
  """
  return _known_options(use) if on_cpu() else None


@functools.cache
def _known_options(use: str) -> dict[str, Any] | None:
  """Returns options for a CPU, or None if its compiler refuses them."""
  options = _CPU_OPTIONS[use]
  try:
    jax.jit(lambda: 0, compiler_options=options).lower().compile()
  except jax.errors.JaxRuntimeError:
    return None
  return options


def on_cpu() -> bool:
  """Returns whether programs run on a CPU."""
  return (_assumed or [jax.default_backend()])[-1] == "cpu"


@contextlib.contextmanager
def assumed(platform: str) -> Iterator[None]:
  """Within the context, builds programs for a platform that may be absent."""
  _assumed.append(platform)
  try:
    yield
  finally:
    _assumed.pop()
