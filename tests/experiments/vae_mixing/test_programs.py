"""Proves that the autoencoder learns alone, and its codes reach classifiers."""

import chex
import jax
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
  assert np.all(state.params["log_sigma"] < 0)
  assert np.all(found["left"] < 0.6 * found["whole"])


def test_labels_do_not_reach_the_autoencoder(problem, trained):
  others = problem._replace(labels=np.zeros_like(problem.labels))
  program, state, _ = trained
  again, _ = seeds.train(program, others, NUMBERS, **HOW)
  chex.assert_trees_all_equal(again.params, state.params)


def test_a_classifier_learns_from_codes_of_its_seed(problem, trained):
  _, state, _ = trained
  program = programs.classifier(CONFIG, "codes", ENCODER, 3)
  how = {**HOW, "given": state.params}
  learned, loss = seeds.train(program, problem, NUMBERS, **how)
  found = seeds.measure(program, problem, NUMBERS, learned, batch_size=30)
  assert np.all(found["error"] < 35)
  # Of the second seed nothing is left to learn from: all inputs look the same.
  half = jax.tree.map(lambda x: x.at[1].set(0), state.params)
  _, other = seeds.train(program, problem, NUMBERS, **{**how, "given": half})
  np.testing.assert_allclose(other[0], loss[0], rtol=1e-5)
  assert other[1, -1] > loss[1, -1] + 0.1


def test_convolutions_fit_together_and_manifold_mixup_reaches_them():
  """The networks of CIFAR-10 on a few digits, traced and not run."""
  config = configs.get_config("dataset=cifar10,smoke")
  config.num_train = 12
  problem = problems.load(config, "digits").problem
  encoder = vae.VAE(shape=(8, 8, 1), latent=2, hidden=(4,), channels=(2,))
  config.model.width, config.model.blocks = 2, (1,)
  seed, plan = (
    np.arange(2, dtype=np.uint32),
    (np.zeros((2, 1, 6), np.int32), np.ones((2, 1, 6), bool)),
  )
  data = problem.splits, problem.features, problem.labels

  def shapes(program, given):
    begun = jax.eval_shape(program.begin, seed, *data[:2])
    state, loss = jax.eval_shape(
      program.advance, begun, plan, seed, given, *data
    )
    assert loss.shape == (2, 1)
    chex.assert_trees_all_equal_shapes_and_dtypes(begun, state)
    test_plan = jax.tree.map(lambda x: x[0, 0], plan)
    return state, jax.eval_shape(program.measure, state, test_plan, seed, *data)

  state, measured = shapes(programs.autoencoder(config, encoder), ())
  assert measured["elbo"].shape == (2, 6)
  for name in ("codes", "manifold"):
    _, measured = shapes(
      programs.classifier(config, name, encoder, 10), state.params
    )
    assert measured["error"].shape == (2, 6)


def test_wrong_models_are_refused():
  config = configs.get_config("dataset=iris")
  config.model.name = "mpl"
  with pytest.raises(ValueError, match="unknown model 'mpl'"):
    programs.classifier(config, "erm", ENCODER, 3)
