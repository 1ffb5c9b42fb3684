"""The ways to mix that are compared, as options of a training step."""

import functools
from typing import Any, Callable, Sequence

import jax

from mixup_jax import transforms

Array = jax.Array
PyTree = Any
Options = dict[str, Any]

INPUT = "mixup of inputs"  # What the others are compared with.
CODES = "mixup of codes, decoded"
RECONSTRUCTIONS = "mixup of reconstructions"
NAMES = ("ERM", "ERM on reconstructions", INPUT, CODES, RECONSTRUCTIONS,
         "manifold mixup")


def all_of(encode: Callable[[Array], Array], decode: Callable[[Array], Array],
           *, alpha: Array, layers: Sequence[int]) -> dict[str, Options]:
  """Returns each method as options of `steps.make_train_step`.

  Args:
    encode: Returns codes of inputs.
    decode: Returns inputs of codes.
    alpha: Of lam ~ Beta(alpha, alpha), in every one of them.
    layers: The hidden layers of which manifold mixup draws one.

  Returns:
    The options by the name of the method.
  """

  def reconstruct(key: Array, inputs: PyTree, targets: PyTree,
                  **options: Any) -> tuple[PyTree, PyTree]:
    del key, options
    return decode(encode(inputs)), targets

  def mix_reconstructions(key: Array, inputs: PyTree, targets: PyTree,
                          **options: Any) -> tuple[PyTree, PyTree]:
    return transforms.mixup(key,
                            decode(encode(inputs)),
                            targets,
                            alpha=alpha,
                            **options)

  bind = functools.partial
  options: tuple[Options, ...] = ({}, {
      "transform": reconstruct
  }, {
      "transform": bind(transforms.mixup, alpha=alpha)
  }, {
      "transform":
          bind(transforms.latent, encode=encode, decode=decode, alpha=alpha)
  }, {
      "transform": mix_reconstructions
  }, {
      "mix_hidden": bind(transforms.manifold, alpha=alpha, layers=tuple(layers))
  })
  return dict(zip(NAMES, options, strict=True))


def mixtures(encode: Callable[[Array], Array], decode: Callable[[Array], Array],
             first: Array, second: Array, lams: Array) -> dict[str, Array]:
  """Mixes pairs in the three ways that make inputs.

  Args:
    encode: Returns codes of inputs.
    decode: Returns inputs of codes.
    first: `[pairs, ...]` inputs.
    second: `[pairs, ...]`, their partners.
    lams: `[lams]`, the weights of the first.

  Returns:
    By the name of the method, `[pairs, lams, ...]`.
  """
  codes = encode(first), encode(second)
  shown = decode(codes[0]), decode(codes[1])
  at_each = lambda make: jax.vmap(make, out_axes=1)(lams)
  return {
      INPUT: at_each(lambda lam: transforms.interpolate(first, second, lam)),
      CODES: at_each(lambda lam: decode(transforms.interpolate(*codes, lam))),
      RECONSTRUCTIONS: at_each(lambda lam: transforms.interpolate(*shown, lam)),
  }
