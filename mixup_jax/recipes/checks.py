"""Checks of a config before any work: ranges, and what devices can share."""

from typing import Any

from mixup_jax import sharding


def at_least(config: Any, *, prefix: str = "config", **lowest: float) -> None:
  """Raises ValueError unless each field is at least its lowest value.

  Args:
    config: The config.
    prefix: What the message calls it.
    **lowest: The lowest value of each field, by its name.
  """
  for name, low in lowest.items():
    if not config[name] >= low:
      raise ValueError(
        f"{prefix}.{name} must be at least {low}, got {config[name]}."
      )


def shared_by_devices(
  config: Any, *names: str, accumulation: int = 1, size: int | None = None
) -> None:
  """Raises ValueError unless the devices can share batches equally.

  Args:
    config: The config.
    *names: Its fields that are numbers of examples.
    accumulation: The number of steps that share a batch.
    size: The number of devices; all of them if it is None.
  """
  size = sharding.make_mesh().size if size is None else size
  parts = size * accumulation
  for name in names:
    if config[name] < parts or config[name] % parts:
      steps = f" and {accumulation} steps" if accumulation > 1 else ""
      raise ValueError(
        f"config.{name}={config[name]} cannot be shared by {size} devices"
        f"{steps}: use a multiple of {parts}."
      )


def each_once(config: Any, *names: str) -> None:
  """Raises ValueError unless each field has a value, and none of them twice."""
  for name in names:
    values = tuple(config[name])
    if not values or len(set(values)) < len(values):
      raise ValueError(
        f"config.{name}={values} must have one value at least, each once."
      )


def choice(name: str, value: str, known: Any) -> None:
  """Raises ValueError, naming what is known, unless the value is known."""
  if value not in known:
    raise ValueError(
      f"unknown {name} {value!r}: choose one of {', '.join(known)}."
    )
