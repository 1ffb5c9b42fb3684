"""The methods: in which codes each of them mixes."""

import functools
from typing import Any, Iterable

from mixup_jax import transforms
from mixup_jax.models import vae

PyTree = Any

MIXUP = "input mixup"
METHODS = {
  "erm": "ERM",
  "mixup": MIXUP,
  "codes": "VAE codes, mixed",
  "reconstructions": "VAE reconstructions, mixed",
  "manifold": "manifold mixup",
  # What the autoencoder does to the inputs, without any mixing.
  "unmixed": "VAE reconstructions, not mixed",
}


def choose(names: Iterable[str]) -> tuple[str, ...]:
  """Returns the keys of `METHODS` that are meant, each once.

  Args:
    names: Keys, or "all".

  Returns:
    The keys.

  Raises:
    ValueError: If there is no such method.
  """
  names = tuple(names)
  for name in names:
    if name not in (*METHODS, "all"):
      raise ValueError(
        f"unknown method {name!r}: choose all, or some of {', '.join(METHODS)}."
      )
  return tuple(METHODS) if "all" in names else tuple(dict.fromkeys(names))


def view(encoder: vae.VAE, params: PyTree, name: str) -> dict[str, Any]:
  """Returns in which codes a method mixes: the inputs are codes of themselves.

  Args:
    encoder: The autoencoder.
    params: Its parameters.
    name: "mixup", "codes", "reconstructions" or "unmixed".

  Returns:
    The functions `encode` and `decode` of `transforms.latent`.
  """
  call: Any = functools.partial(encoder.apply, {"params": params})

  def same(x: PyTree) -> PyTree:
    return x

  if name == "mixup":
    return {"encode": same, "decode": same}
  if name == "codes":
    return {
      "encode": lambda x: call(x, method="encode")[0],
      "decode": lambda z: call(z, method="decode"),
    }
  return {"encode": lambda x: call(x, method="reconstruct"), "decode": same}


def mixing(
  config: Any, name: str, encoder: vae.VAE, params: PyTree
) -> dict[str, Any]:
  """Returns how a method mixes, as options of `steps.make_train_step`.

  Args:
    config: The config; of it `alpha` and `layers` count.
    name: A key of `METHODS`.
    encoder: The autoencoder.
    params: Its parameters.

  Returns:
    Nothing for ERM, else `transform` or `mix_hidden`.
  """
  if name == "erm":
    return {}
  if name == "manifold":
    hidden = functools.partial(
      transforms.manifold, alpha=config.alpha, layers=tuple(config.layers)
    )
    return {"mix_hidden": hidden}
  transform = functools.partial(
    transforms.latent,
    alpha=0.0 if name == "unmixed" else config.alpha,
    **view(encoder, params, name),
  )
  return {"transform": transform}
