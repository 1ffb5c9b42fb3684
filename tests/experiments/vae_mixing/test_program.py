"""Proves that all methods of a seed begin alike, and test on what is left."""

import jax
import numpy as np
import optax
import pytest

from configs import vae_mixing as configs
from experiments.vae_mixing import methods
from experiments.vae_mixing import program
from mixup_jax import sweep
from mixup_jax.data import tables


@pytest.fixture(name="outcome", scope="module")
def make_outcome():
  """A run on three clouds, with a classifier that learns nothing."""
  draws = np.random.default_rng(0)
  labels = np.arange(60, dtype=np.int32) % 3
  features = draws.normal(size=(60, 4)).astype(np.float32) + labels[:, None]
  problem = sweep.split_problem(tables.Table("clouds", features, labels, 3,
                                             (0,) * 4),
                                num_seeds=1,
                                first_seed=0,
                                train_fraction=0.5,
                                scaling="min_max")
  config = configs.get_config("smoke")
  config.epochs, config.vae_steps, config.layers = 1, 3, (1,)
  config.model.hidden = config.vae.hidden = (8,)
  run = program.make_run(config, num_features=4, num_classes=3,
                         tx=optax.sgd(0.0))  # yapf: disable
  split = jax.tree.map(lambda x: x[0], problem.splits)
  outcome = jax.jit(run)(np.float32(1), np.uint32(0), split, problem.features,
                         problem.labels)
  return outcome, np.asarray(split.scaled(features[split.test_rows]))


def test_without_learning_all_methods_err_alike(outcome):
  errors = outcome[0]["error"]
  assert set(errors) == set(methods.NAMES)
  assert len({float(error) for error in errors.values()}) == 1
  assert 0 < float(errors["ERM"]) <= 100


def test_test_inputs_are_pictured(outcome):
  made, test_inputs = outcome
  shown = made["shown"][methods.INPUT]
  assert shown.shape == (program.NUM_PAIRS, len(program.LAMS), 4)
  np.testing.assert_allclose(shown[:, 0], test_inputs[:3], atol=1e-6)
  np.testing.assert_allclose(shown[:, -1], test_inputs[3:6], atol=1e-6)
  assert np.isfinite(made["elbo"]).all() and np.isfinite(made["loss"])
