"""Tests of the training step: its gradient, its stream, its mask."""

import functools

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
import pytest

from mixup_jax import losses
from mixup_jax import transforms
from mixup_jax.models import mlp
from mixup_jax.train import rngs
from mixup_jax.train import state as states
from mixup_jax.train import step as steps

MODEL = mlp.MLP(num_classes=3, hidden=(8,))
TX = optax.sgd(0.1)


def take(key, batch):
  return (batch["inputs"], batch["labels"])


def setup(getkey, rows=6, **options):
  state = states.create(MODEL, TX, getkey(), jnp.ones((1, 4)))
  step = steps.make_train_step(
    MODEL,
    TX,
    losses.cross_entropy,
    root_key=jax.random.key(7),
    prepare=take,
    **options,
  )
  batch = {
    "inputs": jax.random.normal(getkey(), (rows, 4)),
    "labels": jnp.arange(rows) % 3,
  }
  return state, step, batch


def test_train_step_of_erm_is_gradient_descent(getkey):
  state, step, batch = setup(getkey)
  new_state, metrics = step(state, batch)

  def risk(params):
    logits = MODEL.apply({"params": params}, batch["inputs"])
    return losses.cross_entropy(logits, batch["labels"]).mean()

  loss, gradient = jax.value_and_grad(risk)(state.params)
  expected = jax.tree.map(lambda p, g: p - 0.1 * g, state.params, gradient)
  chex.assert_trees_all_close(new_state.params, expected, rtol=1e-6)
  chex.assert_trees_all_close(metrics["loss"], loss, rtol=1e-6)
  assert new_state.step == 1


def test_train_step_random_stream_depends_on_the_step(getkey):
  """Training resumes from a restored state, and no two steps draw the same."""
  mixup = functools.partial(transforms.mixup, alpha=1.0)
  state, step, batch = setup(getkey, transform=mixup)
  jitted = jax.jit(step)
  straight = [jitted(state, batch)[1]["loss"]]
  middle, _ = jitted(state, batch)
  straight.append(jitted(middle, batch)[1]["loss"])
  restored = jax.tree.map(jnp.array, jax.device_get(middle))
  assert jitted(restored, batch)[1]["loss"] == straight[1]
  rewound = middle._replace(step=state.step)
  assert jitted(rewound, batch)[1]["loss"] != straight[1]


def test_train_step_drops_other_units_in_every_step(getkey):
  class Dropped(nn.Module):
    @nn.compact
    def __call__(self, x, *, train):
      return nn.Dense(3)(nn.Dropout(0.5, deterministic=not train)(x))

  state = states.create(Dropped(), TX, getkey(), jnp.ones((1, 4)))
  step = steps.make_train_step(
    Dropped(),
    TX,
    losses.cross_entropy,
    root_key=jax.random.key(7),
    prepare=take,
  )
  batch = {"inputs": jnp.ones((64, 4)), "labels": jnp.arange(64) % 3}
  first, again, second = (
    jax.jit(step)(state._replace(step=jnp.int32(number)), batch)[1]["loss"]
    for number in (0, 0, 1)
  )
  assert first == again != second


def test_train_step_ignores_padding(getkey):
  mixup = functools.partial(transforms.mixup, alpha=1.0)
  state, step, batch = setup(getkey, transform=mixup)
  where = jnp.arange(6) < 4
  noisy = {**batch, "inputs": batch["inputs"].at[4:].set(1e6), "where": where}
  clean = {**batch, "inputs": batch["inputs"].at[4:].set(0.0), "where": where}
  chex.assert_trees_all_close(step(state, noisy), step(state, clean), rtol=1e-6)


def test_train_step_is_the_same_under_jit_scan_and_vmap(getkey):
  mixup = functools.partial(transforms.mixup, alpha=1.0)
  state, step, batch = setup(getkey, transform=mixup)
  looped = state
  jitted = jax.jit(step)
  for _ in range(3):
    looped, _ = jitted(looped, batch)
  stacked = jax.tree.map(lambda x: jnp.stack([x] * 3), batch)
  scanned, _ = jax.lax.scan(step, state, stacked)
  chex.assert_trees_all_close(scanned, looped, rtol=1e-5, atol=1e-7)
  two = jax.tree.map(lambda x: jnp.stack([x, x]), state)
  mapped, _ = jax.jit(jax.vmap(step, in_axes=(0, None)))(two, batch)
  once, _ = step(state, batch)
  chex.assert_trees_all_close(
    jax.tree.map(lambda x: x[1], mapped), once, rtol=1e-5, atol=1e-7
  )


def test_train_step_reduces_the_loss(getkey):
  state, step, batch = setup(getkey, rows=30)
  batch["inputs"] = 3 * jax.nn.one_hot(batch["labels"], 4)
  jitted = jax.jit(step)
  losses_seen = []
  for _ in range(60):
    state, metrics = jitted(state, batch)
    losses_seen.append(float(metrics["loss"]))
  assert losses_seen[-1] < 0.2 * losses_seen[0]
  sums = steps.make_eval_step(MODEL)(state, batch["inputs"], batch["labels"])
  assert sums.means()["error"] == 0


@pytest.mark.parametrize(
  "where", (None, [True, True, False, False, False, True])
)
def test_eval_step_counts_valid_examples(getkey, where):
  state, _, batch = setup(getkey)
  mask = None if where is None else jnp.asarray(where)
  sums = steps.make_eval_step(MODEL)(
    state, batch["inputs"], batch["labels"], where=mask
  )
  assert sums.examples == (6 if where is None else 3)


def test_train_step_error_is_weighted_by_lam(getkey):
  mixup = functools.partial(transforms.mixup, alpha=1.0)
  state, step, batch = setup(getkey, transform=mixup)
  _, metrics = step(state, batch)
  key = jax.random.fold_in(jax.random.key(7), 0)
  inputs, targets = mixup(
    jax.random.split(key, 3)[1], batch["inputs"], batch["labels"]
  )
  logits = MODEL.apply({"params": state.params}, inputs)
  expected = 100 * losses.zero_one(logits, targets).mean()
  chex.assert_trees_all_close(metrics["error"], expected, rtol=1e-6)


def test_train_step_average_follows_the_weights(getkey):
  state, _, batch = setup(getkey)
  state = state._replace(average=jax.tree.map(jnp.copy, state.variables()))
  step = steps.make_train_step(
    MODEL,
    TX,
    losses.cross_entropy,
    root_key=jax.random.key(7),
    prepare=take,
    average_decay=0.9,
  )
  expected = state.params
  for done in range(3):
    state, _ = jax.jit(step)(state, batch)
    kept = min(0.9, (1 + done) / (10 + done))
    expected = jax.tree.map(
      lambda a, p: kept * a + (1 - kept) * p, expected, state.params
    )
  chex.assert_trees_all_close(state.average["params"], expected, rtol=1e-5)
  sums = steps.make_eval_step(MODEL)(state, batch["inputs"], batch["labels"])
  logits = MODEL.apply({"params": expected}, batch["inputs"])
  chex.assert_trees_all_close(
    sums.nll, losses.cross_entropy(logits, batch["labels"]).sum(), rtol=1e-5
  )


def test_train_step_mixes_the_hidden_layer_of_the_hook(getkey):
  """At depth 0 that is mixup with the same key; deeper it is not."""

  def make(layer):
    return functools.partial(transforms.manifold, alpha=1.0, layers=(layer,))

  state, at_input, batch = setup(getkey, transform=make(0))
  key = rngs.stream(jax.random.key(7), "mix", state.step)
  hidden, targets = make(0)(key, batch["inputs"], batch["labels"])
  mixed = {**batch, "inputs": hidden.hook(0, hidden.inputs), "labels": targets}
  _, erm, _ = setup(getkey)
  chex.assert_trees_all_close(
    at_input(state, batch), erm(state, mixed), rtol=1e-5
  )
  _, deeper, _ = setup(getkey, transform=make(1))
  assert deeper(state, batch)[1]["loss"] != at_input(state, batch)[1]["loss"]


def test_train_step_refuses_a_layer_that_the_model_does_not_have(getkey):
  transform = functools.partial(transforms.manifold, alpha=1.0, layers=(1, 9))
  state, step, batch = setup(getkey, transform=transform)
  with pytest.raises(ValueError, match="no depth 9 to mix"):
    step(state, batch)


@pytest.mark.parametrize(
  "options",
  [
    {"transform": functools.partial(transforms.mixup, alpha=1.0)},
    {
      "transform": functools.partial(
        transforms.manifold, alpha=1.0, layers=(1,)
      )
    },
  ],
  ids=["mixup", "manifold"],
)
def test_train_step_is_erm_after_num_mixed_steps(getkey, options):
  state, step, batch = setup(getkey, num_mixed_steps=1, **options)
  _, erm, _ = setup(getkey)
  _, always, _ = setup(getkey, **options)
  chex.assert_trees_all_close(step(state, batch), always(state, batch))
  assert always(state, batch)[1]["loss"] != erm(state, batch)[1]["loss"]
  later = state._replace(step=state.step + 1)
  chex.assert_trees_all_close(step(later, batch), erm(later, batch), rtol=1e-6)


def test_train_step_mixes_after_num_plain_steps(getkey):
  mixup = {"transform": functools.partial(transforms.mixup, alpha=1.0)}
  state, step, batch = setup(getkey, num_plain_steps=1, **mixup)
  _, both, _ = setup(getkey, num_plain_steps=1, num_mixed_steps=2, **mixup)
  _, erm, _ = setup(getkey)
  _, always, _ = setup(getkey, **mixup)
  second = state._replace(step=state.step + 1)
  third = state._replace(step=state.step + 2)
  for made in (step, both):
    chex.assert_trees_all_close(
      made(state, batch), erm(state, batch), rtol=1e-6
    )
    chex.assert_trees_all_close(made(second, batch), always(second, batch))
  chex.assert_trees_all_close(step(third, batch), always(third, batch))
  chex.assert_trees_all_close(both(third, batch), erm(third, batch), rtol=1e-6)


def test_train_step_gives_bytes_to_transforms_that_normalize(getkey):
  """Both orders give the same floats; only declared transforms get bytes."""
  seen = []

  def declared(key, inputs, targets, *, normalize, where=None, enabled=True):
    seen.append(inputs.dtype.name)
    return transforms.mixup(
      key, inputs, targets, alpha=1.0, normalize=normalize
    )

  def undeclared(key, inputs, targets, *, where=None, enabled=True):
    seen.append(inputs.dtype.name)
    return transforms.mixup(key, inputs, targets, alpha=1.0)

  def normalize(pixels):
    return pixels.astype(jnp.float32) / 255 - 0.5

  updated = []
  for transform in (declared, undeclared):
    state, step, batch = setup(getkey, transform=transform, normalize=normalize)
    state = states.create(MODEL, TX, jax.random.key(1), jnp.ones((1, 4)))
    rows = jnp.arange(24, dtype=jnp.uint8).reshape(6, 4)
    updated.append(step(state, {**batch, "inputs": rows})[0].params)
  assert seen == ["uint8", "float32"]
  chex.assert_trees_all_close(*updated, rtol=1e-6)
