"""Proves that the autoencoder learns alone, and its codes reach classifiers."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from configs import vae_mixing as configs
from experiments.vae_mixing import problems
from experiments.vae_mixing import programs
from experiments.vae_mixing import seeds
from mixup_jax.models import vae

CONFIG = configs.get_config("dataset=iris,smoke")
CONFIG.model.hidden = (8,)
CONFIG.layers = (0, 1)
CONFIG.learning_rate = 1e-2
ENCODER = vae.VAE(shape=(4,), latent=2, hidden=(8,))
NUMBERS = np.arange(2)
HOW = {"epochs": 60, "batch_size": 25, "steps_per_dispatch": 100}


@pytest.fixture(scope="module")
def problem():
  return problems.load(CONFIG, "iris").problem


@pytest.fixture(scope="module")
def trained(problem):
  """Returns the program of the autoencoder, its states and losses."""
  program = programs.autoencoder(CONFIG, ENCODER)
  return (program, *seeds.train(program, problem, NUMBERS, **HOW))


def test_the_autoencoder_learns_and_is_measured_on_test_rows(problem, trained):
  program, state, loss = trained
  assert np.all(loss[:, -3:].mean(1) < loss[:, :3].mean(1) - 1)
  found = seeds.measure(program, problem, NUMBERS, state, batch_size=30)
  assert np.all(found["elbo"] < 0)
  # A bound of test rows that is near that of training rows, in nats.
  np.testing.assert_allclose(found["elbo"], -loss[:, -3:].mean(1), atol=1.5)
  assert np.all(found["left"] < 0.6 * found["whole"])


def test_labels_do_not_reach_the_autoencoder(problem, trained):
  others = problem._replace(labels=np.zeros_like(problem.labels))
  program, state, _ = trained
  again, _ = seeds.train(program, others, NUMBERS, **HOW)
  chex.assert_trees_all_equal(again.params, state.params)


@pytest.mark.parametrize("name", ["codes", "manifold"])
def test_a_classifier_learns(problem, trained, name):
  _, state, _ = trained
  program = programs.classifier(CONFIG, name, ENCODER, 3)
  how = {**HOW, "given": state.params}
  trained_state, loss = seeds.train(program, problem, NUMBERS, **how)
  error = seeds.measure(program, problem, NUMBERS, trained_state,
                        batch_size=30)["error"]
  assert np.all(error < 35)
  if name == "codes":
    zeros = jax.tree.map(jnp.zeros_like, state.params)
    _, other = seeds.train(program, problem, NUMBERS, **{**how, "given": zeros})
    assert np.all(other[:, -1] > loss[:, -1])  # All inputs look the same.


def test_wrong_models_are_refused():
  config = configs.get_config("dataset=iris")
  config.model.name = "mpl"
  with pytest.raises(ValueError, match="unknown model 'mpl'"):
    programs.classifier(config, "erm", ENCODER, 3)
