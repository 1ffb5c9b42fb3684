"""Tests of attacking networks, and of the errors on what is made."""

import types

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import losses
from mixup_jax import metrics
from mixup_jax import sharding
from mixup_jax.evaluation import attacks
from mixup_jax.evaluation import mixup_inference
from mixup_jax.evaluation import predict
from mixup_jax.evaluation import robustness
from mixup_jax.train import state as states

KNOWN = {
  "FGSM": robustness.Attack(1, 1.0),
  "I-FGSM": robustness.Attack(4, 1 / 4),
  "PGD": robustness.Attack(6, 2.5 / 6, restarts=2),
}
CLASSES = 7
DATA = types.SimpleNamespace(mean=(0.4,), std=(0.3,))


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


PROGRAMS = {
  count: robustness.make_program(
    Net(), DATA, sharding.make_mesh(jax.devices()[:count])
  )
  for count in (1, 8)
}


def batch(program=PROGRAMS[1]):
  return next(predict.batches(examples(), batch_size=24, mesh=program.mesh))


def perturb(name, epsilon=8.0, program=PROGRAMS[1]):
  return robustness.perturb(
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


@pytest.mark.parametrize("name, num_steps", [("FGSM", 1), ("I-FGSM", 4)])
def test_perturb_is_the_attack_of_one_program(name, num_steps):
  expected = attacks.iterated_fgsm(
    loss_fn,
    batch()["pixels"],
    batch()["labels"],
    epsilon=8.0,
    num_steps=num_steps,
  )
  np.testing.assert_allclose(perturb(name), expected, atol=1e-3)


@pytest.mark.parametrize("name", KNOWN)
def test_perturb_stays_in_the_ball_and_raises_the_loss(name):
  images, labels = batch()["pixels"], batch()["labels"]
  found = perturb(name)
  assert np.abs(found - images).max() <= 8 + 1e-4
  assert 0 <= found.min() and found.max() <= 255
  assert (loss_fn(found, labels) >= loss_fn(images, labels)).all()
  chex.assert_trees_all_equal(perturb(name, epsilon=0.0), images)


def test_perturb_keeps_the_worst_of_all_restarts():
  labels = batch()["labels"]
  each = [
    loss_fn(
      robustness.perturb(
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
def test_perturb_on_eight_devices_is_that_on_one(name):
  np.testing.assert_allclose(
    perturb(name, program=PROGRAMS[8])[:20], perturb(name), atol=1e-3
  )


@pytest.mark.parametrize("count", PROGRAMS)
def test_adversarial_examples_are_those_of_a_batch(count):
  whole = sharding.replicated(PROGRAMS[count].mesh)
  state = sharding.put(network(0), whole)
  with jax.transfer_guard("disallow"):
    found = robustness.adversarial_examples(
      PROGRAMS[count],
      state,
      tuple(part[:5] for part in examples()),
      attack=KNOWN["I-FGSM"],
      epsilon=8.0,
      seed=3,
    )
  np.testing.assert_allclose(found, perturb("I-FGSM")[:5], atol=1e-3)


def test_errors_are_of_the_tested_networks():
  tested = {("ERM", 0): network(0), ("mixup", 0): network(1)}
  how = dict(attack=KNOWN["I-FGSM"], seed=0)
  found = robustness.errors(
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


def test_measure_by_mixes_is_the_error_of_mixup_inference():
  images, labels = examples(7)
  how = {"lam": 0.6, "samples": 3}
  program, state = PROGRAMS[1], network(0)
  measure = robustness.measure_by_mixes(
    program, (images, labels), seed=4, **how
  )
  given = batch()
  found = mixup_inference.mixup_inference(
    jax.random.key(4),
    lambda pixels: program.logits(state, pixels),
    given["pixels"],
    (jnp.asarray(images, jnp.float32), jnp.asarray(labels)),
    **how,
  )
  expected = metrics.classification(
    jnp.log(found), given["labels"], where=given["where"]
  )
  sums = measure(state, given, given["pixels"])
  chex.assert_trees_all_close(sums, expected, rtol=1e-5)
  plain = program.measure(state, given, given["pixels"])
  assert sums.nll != plain.nll and sums.examples == 20
  # It takes the place of the plain measure.
  errors = robustness.errors(
    program,
    state,
    {"ERM": state},
    examples(),
    batch_size=24,
    measure=measure,
    attack=KNOWN["FGSM"],
    epsilon=0.0,
    seed=0,
  )
  np.testing.assert_allclose(errors["ERM"][0], 100 * sums.wrong / 20, rtol=1e-5)
