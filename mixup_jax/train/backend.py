"""What suits a platform: precision, steps a dispatch, compiler options."""

import contextlib
import functools
from typing import Any, Iterator

import jax
import jax.numpy as jnp

_CPU_OPTIONS: dict[str, dict[str, Any]] = {
  # The convolutions of XLA's newer library for processors take 1.3 to 1.6
  # times as long as those that it replaces; this leaves them to the older.
  "run often": {
    "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT"
  },
  # Random numbers for each of many parameters are code that takes a minute to
  # optimise, and a moment to run.
  "run once": {"xla_backend_optimization_level": 0},
}
_pretended: list[str] = []
_PRECISIONS = {"float32": jnp.float32, "bfloat16": jnp.bfloat16}


def compute_dtype(precision: str) -> jax.typing.DTypeLike:
  """Returns the dtype of activations; parameters are float32 in any case.

  Args:
    precision: "float32", "bfloat16", or "auto" for what suits the platform:
      bfloat16 but on a CPU.

  Returns:
    The dtype.

  Raises:
    ValueError: If the precision is none of these.
  """
  if precision == "auto":
    precision = "float32" if on_cpu() else "bfloat16"
  if precision not in _PRECISIONS:
    raise ValueError(
      f"unknown precision {precision!r}: choose auto, {', '.join(_PRECISIONS)}."
    )
  return _PRECISIONS[precision]


def steps_per_dispatch(wanted: int) -> int:
  """Returns how many steps one compiled program does.

  Args:
    wanted: The number, or 0 for what suits the platform: 1 on a CPU, where the
      gradient of a convolution inside a scan takes 5 to 35 times as long, else
      100, which hides the dispatch of all but the smallest networks.

  Returns:
    The number.

  Raises:
    ValueError: If it is negative.
  """
  if wanted < 0:
    raise ValueError(
      f"steps_per_dispatch must be at least 0, got {wanted}: "
      "0 is what suits the platform."
    )
  return wanted or (1 if on_cpu() else 100)


def compiler_options(use: str) -> dict[str, Any] | None:
  """Returns options for `jax.jit`, None if the platform needs none.

  Args:
    use: "run often" for a program of convolutions, "run once" for one that
      takes longer to compile than to run.

  Returns:
    The options, if the compiler knows them: they are experimental.
  """
  return _known_options(use) if on_cpu() else None


@functools.cache
def _known_options(use: str) -> dict[str, Any] | None:
  """Returns options for a CPU, if its compiler knows them."""
  options = _CPU_OPTIONS[use]
  try:
    jax.jit(lambda: 0, compiler_options=options).lower().compile()
  except jax.errors.JaxRuntimeError:
    return None
  return options


def on_cpu() -> bool:
  """Returns whether programs run on the host's processor."""
  return (_pretended or [jax.default_backend()])[-1] == "cpu"


@contextlib.contextmanager
def pretended(platform: str) -> Iterator[None]:
  """Makes programs that are built inside for a platform that is not there."""
  _pretended.append(platform)
  try:
    yield
  finally:
    _pretended.pop()
