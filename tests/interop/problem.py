"""A small problem whose least loss is known, and its training by hand.

Two points are mixed with each other, so that an input shows its weight lam, and
the least cross-entropy is the mean entropy of the mixed label: with alpha = 1

    E[-lam log(lam) - (1 - lam) log(1 - lam)] = 1 / 2,   lam ~ U(0, 1).

`by_hand` trains a network on it in NumPy. It shares the draws of lam with the
transform and nothing else: it mixes, differentiates and descends by itself.
"""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np

import mixup_jax

BATCH, HIDDEN, CLASSES = 32, 8, 2
STEPS, RATE = 60, 1.0
LEAST_LOSS = 0.5

# The row before has the other class.
transform = functools.partial(
  mixup_jax.mixup,
  alpha=1.0,
  per_example=True,
  partner=functools.partial(jax.tree.map, lambda x: jnp.roll(x, 1, axis=0)),
)


def batch():
  """Returns the inputs `[batch, 2]` and the class ids `[batch]`."""
  labels = jnp.arange(BATCH, dtype=jnp.int32) % CLASSES
  return jnp.asarray([[1.0, -1.0], [-1.0, 1.0]])[labels], labels


def weights():
  """Returns the initial kernels `[inputs, outputs]` and biases, by layer."""
  rng = np.random.default_rng(0)

  def layer(*shape):
    kernel = rng.normal(size=shape) / np.sqrt(shape[0])
    return {
      "kernel": jnp.asarray(kernel, jnp.float32),
      "bias": jnp.zeros(shape[1], jnp.float32),
    }

  return {"hidden": layer(2, HIDDEN), "out": layer(HIDDEN, CLASSES)}


def keys(steps=STEPS):
  """Returns a typed key for each step, `[steps]`."""
  return jax.random.split(jax.random.key(3), steps)


def apply(weights, inputs):
  """Returns the logits `[batch, classes]` of the network, in JAX."""
  hidden, out = weights["hidden"], weights["out"]
  x = jnp.tanh(inputs @ hidden["kernel"] + hidden["bias"][None])
  return x @ out["kernel"] + out["bias"][None]


def loss_fn(weights, inputs, targets):
  """Returns the mean loss of a mixed batch, `[]`."""
  logits = apply(weights, inputs)
  return mixup_jax.losses.cross_entropy(logits, targets).mean()


def descend(weights, grads):
  """Returns the weights after a step of gradient descent."""
  return jax.tree.map(lambda w, g: w - RATE * g, weights, grads)


def assert_losses_are_known(found, keys, *, atol=1e-5, **options):
  """Compares the losses of a loop with those by hand, of the same keys."""
  found = np.asarray(found, np.float64)
  chex.assert_trees_all_close(found, by_hand(keys, **options), atol=atol)


def by_hand(keys, *, teacher=None):
  """Trains the network by gradient descent, in float64.

  Args:
    keys: One key for each step.
    teacher: `[2, classes]`, the weights of a linear teacher of the mixed
      inputs, in place of the labels.

  Returns:
    `[steps]` losses.
  """
  inputs, labels = (np.asarray(x) for x in batch())
  one_hot = np.eye(CLASSES)[labels]
  w1, b1, w2, b2 = (
    np.asarray(layer[name], np.float64)
    for layer in weights().values()
    for name in ("kernel", "bias")
  )
  losses = []
  for lam in np.asarray(_draw(jax.random.clone(keys)), np.float64)[..., None]:
    x, y = (lam * a + (1 - lam) * np.roll(a, 1, 0) for a in (inputs, one_hot))
    if teacher is not None:
      y = np.exp(_log_softmax(x @ teacher))
    hidden = np.tanh(x @ w1 + b1)
    log_p = _log_softmax(hidden @ w2 + b2)
    losses.append(-(y * log_p).sum(-1).mean())
    to_logits = (np.exp(log_p) - y) / BATCH
    to_hidden = (1 - hidden**2) * (to_logits @ w2.T)
    w1, b1 = w1 - RATE * x.T @ to_hidden, b1 - RATE * to_hidden.sum(0)
    w2, b2 = w2 - RATE * hidden.T @ to_logits, b2 - RATE * to_logits.sum(0)
  return np.asarray(losses)


@jax.jit
@jax.vmap
def _draw(key):
  """Returns the weights of a step, `[batch]`."""
  return mixup_jax.sample_mix(key, BATCH, alpha=1.0, per_example=True).lam


def _log_softmax(logits):
  """Returns the logarithms of the probabilities."""
  shifted = logits - logits.max(-1, keepdims=True)
  return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
