"""Tests of attacks: they raise the loss, and stay in the ball."""

import functools

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import losses
from mixup_jax import sharding
from mixup_jax.evaluation import attacks

EPSILON = 4.0
ATTACKS = {
  "fgsm": attacks.fgsm,
  "iterated": attacks.iterated_fgsm,
  "long steps": functools.partial(
    attacks.iterated_fgsm, step_size=3.0, num_steps=5
  ),
}
each_attack = pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)


def weights():
  rng = np.random.default_rng(0)
  return (
    rng.normal(size=(12, 16)).astype(np.float32) / 300,
    rng.normal(size=(16, 3)).astype(np.float32),
  )


def loss_fn(pixels, labels):
  """Returns the losses of a small network on 2 x 2 x 3 images."""
  first, second = weights()
  hidden = jnp.tanh(pixels.reshape(-1, 12) @ first)
  return losses.cross_entropy(hidden @ second, labels)


def examples(rows=8):
  rng = np.random.default_rng(1)
  pixels = rng.uniform(0, 255, (rows, 2, 2, 3)).round().astype(np.float32)
  return jnp.asarray(pixels), jnp.asarray(np.arange(rows, dtype=np.int32) % 3)


@each_attack
def test_attack_stays_in_the_ball_and_the_range_of_pixels(attack):
  pixels, labels = examples(64)
  moved = attack(loss_fn, pixels, labels, epsilon=EPSILON)
  chex.assert_trees_all_equal_shapes_and_dtypes(moved, pixels)
  assert EPSILON - 0.01 < jnp.abs(moved - pixels).max() < EPSILON + 1e-4
  assert moved.min() >= 0 and moved.max() <= 255
  free = attack(loss_fn, pixels, labels, epsilon=EPSILON, clip=False)
  assert free.min() < 0 and free.max() > 255


@each_attack
def test_attack_raises_the_loss_of_every_example_of_a_convex_toy(attack):
  """By epsilon times the 1-norm of the gradient, of a linear loss."""
  pixels, labels = examples()
  slope = jnp.asarray(weights()[0][:, 0].reshape(2, 2, 3))

  def linear(x, _):
    return (x * slope[None]).sum((1, 2, 3))

  moved = attack(linear, pixels, labels, epsilon=EPSILON, clip=False)
  rise = linear(moved, labels) - linear(pixels, labels)
  chex.assert_trees_all_close(
    rise, jnp.full(8, EPSILON) * jnp.abs(slope).sum(), rtol=1e-3
  )
  moved = attack(loss_fn, pixels, labels, epsilon=EPSILON)
  assert (loss_fn(moved, labels) > loss_fn(pixels, labels)).all()


def test_iterated_fgsm_of_one_long_step_is_fgsm():
  one = attacks.iterated_fgsm(
    loss_fn, *examples(), epsilon=EPSILON, num_steps=1, step_size=EPSILON
  )
  chex.assert_trees_all_equal(
    one, attacks.fgsm(loss_fn, *examples(), epsilon=EPSILON)
  )


def test_attack_without_a_radius_moves_nothing():
  pixels, labels = examples()
  for attack in ATTACKS.values():
    chex.assert_trees_all_equal(
      attack(loss_fn, pixels, labels, epsilon=0.0), pixels
    )


@each_attack
def test_attack_is_alike_eager_jitted_vmapped_and_on_8_devices(attack):
  pixels, labels = examples()
  attack = functools.partial(attack, loss_fn)
  expected = attack(pixels, labels, epsilon=EPSILON)
  same = functools.partial(chex.assert_trees_all_close, expected, atol=1e-3)
  same(jax.jit(attack)(pixels, labels, epsilon=jnp.float32(EPSILON)))

  def alone(x, y):
    return attack(x[None], y[None], epsilon=EPSILON)[0]

  same(jax.vmap(alone)(pixels, labels))
  where = sharding.sharded(sharding.make_mesh())
  spread = jax.jit(attack, out_shardings=where)(
    *jax.device_put((pixels, labels), where), epsilon=EPSILON
  )
  assert spread.sharding == where
  same(jax.device_get(spread))


def test_iterated_fgsm_is_alike_in_a_loop_and_unrolled():
  attack = functools.partial(attacks.iterated_fgsm, loss_fn, epsilon=EPSILON)
  chex.assert_trees_all_close(
    attack(*examples()), attack(*examples(), unroll=True), atol=1e-4
  )
  lowered = jax.jit(functools.partial(attack, unroll=True)).lower(*examples())
  assert "while" not in lowered.as_text()


def test_random_start_fills_the_ball(getkey):
  pixels = jnp.full((1000, 2, 2, 3), 127.0)
  start = attacks.random_start(getkey(), pixels, epsilon=EPSILON)
  moved = start - pixels
  assert jnp.abs(moved).max() <= EPSILON and abs(moved.mean()) < 0.1
  assert abs(moved.std() - EPSILON / 3**0.5) < 0.05  # As of a uniform draw.
  low = attacks.random_start(getkey(), pixels * 0, epsilon=EPSILON)
  assert low.min() == 0 and low.max() <= EPSILON


def test_iterated_fgsm_from_a_start_stays_in_the_ball_of_the_inputs(getkey):
  pixels, labels = examples()
  start = attacks.random_start(getkey(), pixels, epsilon=EPSILON)
  moved = attacks.iterated_fgsm(
    loss_fn,
    pixels,
    labels,
    epsilon=EPSILON,
    step_size=1.0,
    num_steps=20,
    start=start,
  )
  assert jnp.abs(moved - pixels).max() <= EPSILON + 1e-4
  assert (loss_fn(moved, labels) > loss_fn(start, labels)).all()


@pytest.mark.parametrize("num_steps", [1, 10])
def test_iterated_fgsm_is_that_of_pytorch(num_steps):
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  pixels, labels = examples()
  first, second = map(torch.from_numpy, weights())
  x = origin = torch.from_numpy(np.array(pixels))
  for _ in range(num_steps):
    x = x.detach().requires_grad_()
    logits = torch.tanh(x.reshape(-1, 12) @ first) @ second
    loss = torch.nn.functional.cross_entropy(
      logits, torch.from_numpy(np.array(labels)).long(), reduction="sum"
    )
    (gradient,) = torch.autograd.grad(loss, x)
    x = x + EPSILON / num_steps * gradient.sign()
    x = torch.clamp(x, origin - EPSILON, origin + EPSILON).clamp(0, 255)
  ours = attacks.iterated_fgsm(
    loss_fn, pixels, labels, epsilon=EPSILON, num_steps=num_steps
  )
  np.testing.assert_allclose(ours, x.detach().numpy(), atol=1e-3)


@pytest.mark.parametrize(
  "options, error, message",
  [
    ({"epsilon": -4.0}, ValueError, "epsilon must be at least 0, got -4.0"),
    ({"epsilon": 4.0, "step_size": -1.0}, ValueError, "step_size .* got -1.0"),
    ({"epsilon": 4.0, "num_steps": 0}, ValueError, "num_steps .* got 0"),
  ],
)
def test_iterated_fgsm_refuses_bad_sizes(options, error, message):
  with pytest.raises(error, match=message):
    attacks.iterated_fgsm(loss_fn, *examples(), **options)


def test_fgsm_refuses_pixels_that_small_steps_cannot_move():
  pixels, labels = examples()
  for dtype in ("uint8", "int32", "bfloat16"):
    with pytest.raises(TypeError, match=f"cannot move {dtype} pixels"):
      attacks.fgsm(loss_fn, pixels.astype(dtype), labels, epsilon=1.0)
