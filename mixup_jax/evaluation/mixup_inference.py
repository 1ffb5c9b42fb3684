"""Mixup inference: predictions by mixes, as a defence against attacks."""

import functools
from typing import Callable

import jax
import jax.numpy as jnp

from mixup_jax import transforms

Array = jax.Array
Predict = Callable[[Array], Array]

KINDS = ("other", "predicted")


def mixup_inference(
  key: Array,
  predict: Predict,
  inputs: Array,
  pool: tuple[Array, Array],
  *,
  kind: str = "other",
  lam: float = 0.5,
  samples: int = 30,
) -> Array:
  """Averages predictions over mixes with examples of a pool.

      p(x) = 1/K sum_k softmax(f(lam x + (1 - lam) x_k))

  where x_k is of another class than f predicts for x, or of that class. A
  perturbation of x, made for x itself, shrinks by lam, and meets K points that
  it was not made for.

  Args:
    key: A typed PRNG key, consumed.
    predict: Takes `[batch, ...]` inputs; returns `[batch, classes]` logits.
      Jit it: it is called as often as there are samples, and once more.
    inputs: `[batch, ...]` floats, such as adversarial examples.
    pool: `[pool, ...]` floats, clean examples such as those of training, and
      their `[pool]` class ids.
    kind: "other" draws x_k from all classes but the predicted one (MI-OL),
      "predicted" from that one (MI-PL).
    lam: The weight of the inputs, in [0, 1]. The paper tunes it on clean
      accuracy, to about 1/2.
    samples: How many mixes.

  Returns:
    `[batch, classes]` float32 probabilities. Where the pool has no example to
    draw, they are those of the input itself.

  Raises:
    ValueError: If the kind is unknown, `lam` is not in [0, 1], there is no
      sample, or the pool does not fit.
    TypeError: If inputs are not floating point.

  References:
    Pang et al., Mixup Inference: Better Exploiting Mixup to Defend Adversarial
    Attacks, ICLR 2020, arXiv 1909.11515, section 3, with its 30 samples.
  """
  examples, labels = map(jnp.asarray, pool)
  _check(kind, samples, lam, inputs, examples, labels)
  predicted = jnp.argmax(predict(inputs), axis=-1)
  rows, found = _draw(key, predicted, labels, kind=kind, samples=samples)
  weights = jnp.where(found, lam, 1)
  total = jnp.float32(0)
  for each in rows:
    mixed = transforms.interpolate(inputs, examples[each], weights)
    total += jax.nn.softmax(predict(mixed).astype(jnp.float32))
  return total / samples


@functools.partial(jax.jit, static_argnames=("kind", "samples"))
def _draw(
  key: Array, predicted: Array, labels: Array, *, kind: str, samples: int
) -> tuple[Array, Array]:
  """Draws `[samples, batch]` rows of a pool, and whether there are any."""
  order = jnp.argsort(labels)
  start, stop = (
    jnp.searchsorted(labels[order], predicted, side=side)
    for side in ("left", "right")
  )
  own = stop - start
  count = own if kind == "predicted" else len(labels) - own
  shape = (samples, len(predicted))
  draw = jax.random.randint(key, shape, 0, jnp.maximum(count, 1)[None])
  if kind == "predicted":
    position = start[None] + draw
  else:  # In class order each class is one block, and a draw skips it.
    position = jnp.where(draw < start[None], draw, draw + own[None])
  return order[jnp.clip(position, 0, len(labels) - 1)], count > 0


def _check(
  kind: str,
  samples: int,
  lam: float,
  inputs: Array,
  examples: Array,
  labels: Array,
) -> None:
  """Raises ValueError unless there are samples to draw."""
  if kind not in KINDS:
    raise ValueError(
      f"unknown kind {kind!r} of inference: choose one of {', '.join(KINDS)}."
    )
  if samples < 1:
    raise ValueError(f"samples must be at least 1, got {samples}.")
  if not 0 <= lam <= 1:
    raise ValueError(f"lam must be from 0 to 1, got {lam}.")
  if (
    not len(labels)
    or labels.shape != examples.shape[:1]
    or examples.shape[1:] != inputs.shape[1:]
  ):
    raise ValueError(
      f"a pool of shapes {examples.shape} and {labels.shape} does not fit "
      f"inputs of shape {inputs.shape}: give examples like them, and their ids."
    )
