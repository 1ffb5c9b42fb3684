"""From `config.mix` to a transform: the one list of transforms by name."""

import difflib
import functools
from typing import Any, Callable

import jax
import jax.numpy as jnp

from mixup_jax import results
from mixup_jax import sharding
from mixup_jax import transforms

Array = jax.Array
Transform = transforms.Transform
# Gives a transform partners on a mesh.
Pair = Callable[[Any], Any]
# Takes config.mix, the number of classes, and what gives partners.
Maker = Callable[[Any, int, Pair], Transform]

_OWN_LAM = ("per_example", "group_size", "probability")
_PLAN = ("alpha", "fold", *_OWN_LAM)


def inputs_only_same_class(
  key: Array,
  inputs: Any,
  targets: Array,
  *,
  where: Array | None = None,
  **options: Any,
) -> tuple[Any, Array]:
  """Mixes inputs only, with partners of the same class in the batch.

  Args:
    key: A typed PRNG key, consumed.
    inputs: Any tree of `[batch, ...]` floating-point arrays.
    targets: `[batch]` integer class ids.
    where: `[batch]` booleans, False for padding: a class of its own.
    **options: As in `transforms.inputs_only`.

  Returns:
    The mixed inputs, and the targets.

  References:
    Zhang et al., ICLR 2018, section 3.8: "mix inputs only, SC + RP".
  """
  partner_key, mix_key = jax.random.split(key)
  labels = targets if where is None else jnp.where(where, targets, -1)
  partner = transforms.same_class_partners(partner_key, labels)
  return transforms.inputs_only(
    mix_key, inputs, targets, partner=partner, **options
  )


def _make(function: Callable[..., Any], *names: str, pairs: bool) -> Maker:
  """Returns what makes a transform from the options that it has."""

  def make(mix: Any, num_classes: int, pair: Pair) -> Transform:
    # The config of an earlier run lacks options that have come since.
    options = {name: mix[name] for name in names if name in mix}
    if "num_classes" in names:
      options["num_classes"] = num_classes
    made = functools.partial(function, **options)
    return pair(made) if pairs else made

  return make


def _mixup_or_cutmix(mix: Any, num_classes: int, pair: Pair) -> Transform:
  """Returns mixup or CutMix, drawn for each batch."""
  both = tuple(
    TRANSFORMS[name](mix, num_classes, pair) for name in ("mixup", "cutmix")
  )
  return functools.partial(transforms.switch, transforms=both)


_paired = functools.partial(_make, pairs=True)
_alone = functools.partial(_make, pairs=False)

TRANSFORMS: dict[str, Maker] = {
  "mixup": _paired(transforms.mixup, *_PLAN),
  "cutmix": _paired(transforms.cutmix, *_PLAN),
  "mixup_or_cutmix": _mixup_or_cutmix,
  "resizemix": _paired(transforms.resizemix, "scale", *_OWN_LAM),
  "fmix": _paired(transforms.fmix, "decay", *_PLAN),
  "regmixup": _paired(transforms.regmixup, "eta", *_PLAN),
  "manifold": _paired(transforms.manifold, "layers", *_PLAN),
  "inputs_only": _paired(transforms.inputs_only, *_PLAN),
  "inputs_only_same_class": _alone(inputs_only_same_class, *_PLAN),
  "inputs_with_smoothing": _paired(
    transforms.inputs_with_smoothing, "epsilon", "num_classes", *_PLAN
  ),
  "label_smoothing": _alone(
    transforms.label_smoothing, "epsilon", "num_classes"
  ),
  "gaussian_noise": _alone(transforms.gaussian_noise, "sigma"),
}
# What a label names beside the transform.
_SHOWN = {
  "resizemix": ("scale",),
  "fmix": ("alpha", "decay"),
  "regmixup": ("alpha", "eta"),
  "manifold": ("alpha", "layers"),
  "inputs_with_smoothing": ("alpha", "epsilon"),
  "label_smoothing": ("epsilon",),
  "gaussian_noise": ("sigma",),
}


def method(mix: Any) -> results.Method:
  """Returns the identity of the transform of a config.

  Args:
    mix: The field `mix` of a config, as `configs.mixing` makes it.

  Returns:
    The method, such as ("mixup", "mixup, alpha 1", 1.0).

  Raises:
    ValueError: If there is no such transform; close names are suggested.
  """
  if mix.name not in TRANSFORMS:
    close = difflib.get_close_matches(mix.name, TRANSFORMS, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise ValueError(
      f"unknown transform config.mix.name={mix.name!r}.{hint} Known are "
      f"{', '.join(TRANSFORMS)}."
    )
  alpha = mix.alpha if "alpha" in _shown(mix) else 0.0
  return results.Method(mix.name, ", ".join(describe(mix)), alpha)


def describe(mix: Any) -> tuple[str, str]:
  """Returns the words of a transform and of its options, for labels."""
  options = ", ".join(f"{name} {_text(mix[name])}" for name in _shown(mix))
  return mix.name.replace("_", " "), options


def _shown(mix: Any) -> tuple[str, ...]:
  """Returns the options that a label names."""
  return _SHOWN.get(mix.name, ("alpha",))


def methods(config: Any) -> list[results.Method]:
  """Returns the methods of a config: ERM, its transform, or both.

  Args:
    config: The config; of it `method` and `mix` count.

  Returns:
    The methods, ERM first.

  Raises:
    TypeError: If alpha is not a number.
    ValueError: If `method` is not "erm", "mix" or "all", there is no such
      transform, or alpha is negative, or 0, which is ERM.
  """
  transforms.check_alpha(config.mix.alpha)
  mixed = method(config.mix)
  known = {"erm": [results.ERM], "mix": [mixed], "all": [results.ERM, mixed]}
  if config.method not in known:
    raise ValueError(
      f"unknown method {config.method!r}: choose one of {', '.join(known)}; "
      "config.mix sets what is mixed."
    )
  if config.method != "erm":
    check(config.mix)
  return known[config.method]


def check(mix: Any) -> results.Method:
  """Returns the method of a config, as `method`, if it mixes anything.

  Args:
    mix: The field `mix` of a config.

  Returns:
    The method.

  Raises:
    TypeError: If alpha is not a number.
    ValueError: If there is no such transform, or alpha is negative, or 0.
  """
  transforms.check_alpha(mix.alpha)
  if "alpha" in _shown(mix) and not mix.alpha:
    raise ValueError(
      "alpha=0 mixes nothing: give one above 0. ERM is a method of its own."
    )
  return method(mix)


def transform(
  mix: Any,
  *,
  num_classes: int,
  batch_size: int,
  partners: str = "global",
  mesh: sharding.Mesh | None = None,
) -> Transform:
  """Returns the transform of a config.

  Args:
    mix: The field `mix` of a config.
    num_classes: The number of classes.
    batch_size: The examples of a step, on all devices together.
    partners: Who is paired on a sharded batch, one of `sharding.POLICIES`.
    mesh: The data mesh, over all devices if it is None.

  Returns:
    The transform.

  Raises:
    TypeError: If alpha is not a number.
    ValueError: If there is no such transform or policy, or a policy would pair
      every example with itself.
  """
  transforms.check_alpha(mix.alpha)
  method(mix)
  mesh = mesh or sharding.make_mesh()

  def pair(function: Any) -> Any:
    sharding.check_pairable(batch_size, mesh=mesh, policy=partners)
    if partners == "global":
      return function  # Plain mixup is that, and stays off the padding.
    return sharding.with_partners(function, mesh, policy=partners)

  return TRANSFORMS[mix.name](mix, num_classes, pair)


def _text(value: Any) -> str:
  """Returns an option as a label shows it."""
  if isinstance(value, tuple | list):
    return " ".join(map(str, value))
  return f"{value:g}"


def changed(mix: Any, **changes: Any) -> Any:
  """Returns a copy of the field `mix` of a config with some options changed."""
  copy = mix.copy_and_resolve_references()
  with copy.unlocked():  # Where there are several alphas, it has none.
    copy.update(changes)
  return copy


def plain_steps(mix: Any, epochs: int, steps_per_epoch: int) -> dict[str, int]:
  """Returns when mixing is on, as options of `program.make_program`.

  Args:
    mix: The field `mix` of a config.
    epochs: The epochs of a run.
    steps_per_epoch: The steps of an epoch.

  Returns:
    The number of first steps that are not mixed and, if mixing ends before the
    run, that of the steps after which none is.

  Raises:
    ValueError: If these epochs are negative, or more than there are.
  """
  first, last = mix.plain_first_epochs, mix.plain_last_epochs
  if min(first, last) < 0 or first + last > epochs:
    raise ValueError(
      f"config.mix.plain_first_epochs={first} and plain_last_epochs={last} "
      f"must be at least 0, and together at most the {epochs} epochs of a run."
    )
  options = {"num_plain_steps": first * steps_per_epoch}
  if last:
    options["num_mixed_steps"] = (epochs - last) * steps_per_epoch
  return options
