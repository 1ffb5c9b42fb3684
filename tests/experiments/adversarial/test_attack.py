"""Proves the attacks on networks, and what is measured on others."""

import types

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.adversarial import attack
from mixup_jax import losses
from mixup_jax import sharding
from mixup_jax.data.in_memory import images
from mixup_jax.evaluation import attacks
from mixup_jax.train import state as states

CONFIG = types.SimpleNamespace(iterations=4, pgd_steps=6, restarts=2)
KNOWN = attack.known(CONFIG)
CLASSES = 7


class Net(nn.Module):
  @nn.compact
  def __call__(self, x, *, train, mix=None, where=None):
    del train, mix, where
    x = nn.relu(nn.Dense(16)(x.reshape(len(x), -1)))
    return nn.Dense(CLASSES)(x)


def network(seed):
  params = Net().init(
    jax.random.key(seed), jnp.zeros((1, 4, 4, 1)), train=False
  )["params"]
  return states.TrainState(jnp.zeros((), jnp.int32), params, {}, (), {})


def examples(count=20):
  rng = np.random.default_rng(0)
  pixels = rng.integers(0, 256, (count, 4, 4, 1)).astype(np.uint8)
  return pixels, rng.integers(0, CLASSES, count).astype(np.int32)


DATA = images.ImageSet(
  "some", *examples(), *examples(), CLASSES, (0.4,), (0.3,), 0, False
)
PROGRAMS = {
  count: attack.make_program(
    Net(), DATA, sharding.make_mesh(jax.devices()[:count])
  )
  for count in (1, 8)
}


def batch(program=PROGRAMS[1], size=24):
  return next(attack.batches(examples(), batch_size=size, mesh=program.mesh))


def perturb(name, epsilon=8.0, program=PROGRAMS[1]):
  return attack.perturb(
    program,
    network(0),
    batch(program),
    attack=KNOWN[name],
    epsilon=epsilon,
    seed=3,
  )


def loss_fn(x, labels):
  logits = Net().apply(
    {"params": network(0).params}, (x / 255 - 0.4) / 0.3, train=False
  )
  return losses.cross_entropy(logits, labels)


def test_batches_hold_each_image_once():
  parts = list(attack.batches(examples(), batch_size=8, mesh=PROGRAMS[1].mesh))
  assert [int(part["where"].sum()) for part in parts] == [8, 8, 4]
  whole = np.concatenate([p["pixels"][np.asarray(p["where"])] for p in parts])
  np.testing.assert_array_equal(whole, examples()[0])


@pytest.mark.parametrize("name, num_steps", [("FGSM", 1), ("I-FGSM", 4)])
def test_a_loop_of_steps_is_the_attack_of_the_package(name, num_steps):
  expected = attacks.iterated_fgsm(
    loss_fn,
    batch()["pixels"],
    batch()["labels"],
    epsilon=8.0,
    num_steps=num_steps,
  )
  np.testing.assert_allclose(perturb(name), expected, atol=1e-3)


@pytest.mark.parametrize("name", KNOWN)
def test_no_pixel_leaves_the_ball_and_the_loss_rises(name):
  images, labels = batch()["pixels"], batch()["labels"]
  found = perturb(name)
  assert np.abs(found - images).max() <= 8 + 1e-4
  assert 0 <= found.min() and found.max() <= 255
  assert (loss_fn(found, labels) >= loss_fn(images, labels)).all()
  np.testing.assert_array_equal(perturb(name, epsilon=0.0), images)


def test_restarts_keep_the_worst_of_each_image():
  labels = batch()["labels"]
  each = [
    loss_fn(
      attack.perturb(
        PROGRAMS[1],
        network(0),
        batch(),
        attack=KNOWN["PGD"]._replace(restarts=count),
        epsilon=8.0,
        seed=3,
      ),
      labels,
    )
    for count in (1, 2, 5)
  ]
  assert (each[1] >= each[0]).all() and (each[2] >= each[1]).all()
  assert (each[2] > each[0]).any()


@pytest.mark.parametrize("name", KNOWN)
def test_eight_devices_find_what_one_finds(name):
  np.testing.assert_allclose(
    perturb(name, program=PROGRAMS[8]), perturb(name), atol=1e-3
  )


def test_errors_are_of_the_networks_that_are_shown_the_images():
  tested = {("ERM", 0): network(0), ("mixup", 0): network(1)}
  how = dict(attack=KNOWN["I-FGSM"], seed=0)
  found = attack.errors(
    PROGRAMS[1],
    network(0),
    tested,
    examples(),
    batch_size=8,
    epsilon=8.0,
    **how,
  )
  x = perturb("I-FGSM")[:20]
  for name, state in tested.items():
    logits = Net().apply(
      {"params": state.params}, (x / 255 - 0.4) / 0.3, train=False
    )
    wrong = 100 * np.mean(np.argmax(logits, -1) != examples()[1])
    top5 = np.argsort(-logits, axis=-1)[:, :5] == examples()[1][:, None]
    np.testing.assert_allclose(
      found[name], (wrong, 100 * (1 - top5.any(1).mean())), rtol=1e-5
    )
