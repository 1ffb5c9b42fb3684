"""Tests of training classifiers on codes, in groups of seeds."""

import functools
import itertools
import types

import chex
import jax
import numpy as np
import pytest

from configs import vae_mixing
from mixup_jax import results
from mixup_jax import transforms
from mixup_jax.recipes import autoencoder
from mixup_jax.recipes import small_sets
from mixup_jax.results import files
from mixup_jax.runtime import preemption
from mixup_jax.train import dispatch
from mixup_jax.train import side_by_side
from mixup_jax.train import trial

SEEDS = np.arange(2)
HOW = {"epochs": 60, "batch_size": 25, "steps_per_dispatch": 100}
CODES = results.Method("codes", "codes")
MANIFOLD = results.Method("manifold", "manifold mixup")


def small(**changes):
  config = vae_mixing.get_config("dataset=iris,smoke")
  config.model.hidden = (8,)
  config.vae = {"latent": 2, "hidden": (8,), "channels": ()}
  config.learning_rate = 1e-2
  config.update(changes)
  return config


def codes(encoder, params):
  call = functools.partial(encoder.apply, {"params": params})
  return functools.partial(
    transforms.latent,
    alpha=1.0,
    encode=lambda x: call(x, method="encode")[0],
    decode=functools.partial(call, method="decode"),
  )


def manifold(encoder, params):
  return functools.partial(transforms.manifold, alpha=1.0, layers=(0, 1))


def erm(encoder, params):
  return None


def test_prepare_gives_a_classifier_the_codes_of_its_seed():
  config = small()
  problem = small_sets.load(config, "iris")
  prepared = autoencoder.prepare(config, problem, {CODES: codes})
  assert list(prepared.programs) == [autoencoder.VAE, CODES]
  encoder, classifier = prepared.programs.values()
  params = dispatch.train(encoder, problem, SEEDS, **HOW)[0].params
  learned, loss = dispatch.train(
    classifier, problem, SEEDS, options=params, **HOW
  )
  found = dispatch.measure(classifier, problem, SEEDS, learned, batch_size=30)
  assert np.all(found["error"] < 35)
  # Of the second seed nothing is left to learn from: all inputs look the same.
  half = jax.tree.map(lambda x: x.at[1].set(0), params)
  _, other = dispatch.train(classifier, problem, SEEDS, options=half, **HOW)
  np.testing.assert_allclose(other[0], loss[0], rtol=1e-5)
  assert other[1, -1] > loss[1, -1] + 0.1


def test_prepare_fits_convolutions_together_and_manifold_mixup_reaches_them():
  """The networks of CIFAR-10 on a few digits, traced and not run."""
  config = vae_mixing.get_config("dataset=cifar10,smoke")
  config.num_train = config.vae_num_train = 12
  config.vae = {"latent": 2, "hidden": (4,), "channels": (2,)}
  config.model.width, config.model.blocks = 2, (1,)
  problem = small_sets.load(config, "digits")
  prepared = autoencoder.prepare(
    config, problem, {CODES: codes, MANIFOLD: manifold}
  )
  assert prepared.encoder.shape == (8, 8, 1)
  runs = trial.Trial(np.uint32(SEEDS), problem.splits, *problem[:2])
  plan = trial.Plan(
    np.zeros((2, 1), np.int32),
    np.zeros((2, 1, 6), np.int32),
    np.ones((2, 1, 6), bool),
  )

  def shapes(program, options):
    begun = jax.eval_shape(program.init, runs)
    state, loss = jax.eval_shape(program.advance, begun, plan, options, runs)
    assert loss.shape == (2, 1)
    chex.assert_trees_all_equal_shapes_and_dtypes(begun, state)
    return state, jax.eval_shape(
      program.measure, state, np.zeros(6, np.int32), runs
    )

  encoder, *classifiers = prepared.programs.values()
  state, measured = shapes(encoder, ())
  assert measured["elbo"].shape == (2, 6)
  for program in classifiers:
    _, measured = shapes(program, state.params)
    assert measured["error"].shape == (2, 6)


def test_prepare_lets_the_autoencoder_learn_from_more_rows(monkeypatch):
  config = small(num_train=10, vae_num_train=40)
  problem = small_sets.load(config, "iris")
  prepared = autoencoder.prepare(config, problem, {results.ERM: erm})
  trained = []

  def train(program, problem, *args, **options):
    trained.append((program, problem.splits.train_rows))
    return types.SimpleNamespace(params=()), np.zeros((2, 1))

  monkeypatch.setattr(dispatch, "train", train)
  monkeypatch.setattr(dispatch, "measure", lambda *_, **__: {})
  autoencoder.train_group(
    config, prepared, slice(0, 2), show=None, on_epochs=lambda _: None
  )
  assert [x for x, _ in trained] == list(prepared.programs.values())
  rows = problem.splits.train_rows
  np.testing.assert_array_equal(trained[0][1], rows[:, :40])
  np.testing.assert_array_equal(trained[1][1], rows[:, :10])


def test_prepare_with_an_unknown_model_raises():
  config = vae_mixing.get_config("dataset=iris")
  config.model.name = "mpl"
  problem = small_sets.load(small(), "iris")
  with pytest.raises(ValueError, match="unknown model 'mpl'"):
    autoencoder.prepare(config, problem, {results.ERM: erm})


@pytest.mark.parametrize("wanted, expected", ((0, 20), (7, 7)))
def test_prepare_takes_the_seeds_of_a_cpu_unless_the_config_has_some(
  wanted, expected
):
  config = small(seeds=3, seeds_at_once=wanted)
  problem = small_sets.load(config, "iris")
  assert autoencoder.prepare(config, problem, {}).seeds_at_once == expected


def test_prepare_measures_the_programs_of_all_networks(monkeypatch):
  seen = []

  def choose(most, *, on_cpu, lower):
    seen.append((most, on_cpu))
    for count in (2, 4):
      seen.append(list(map(side_by_side.num_bytes, lower(count))))
    return 9

  monkeypatch.setattr(side_by_side, "choose", choose)
  config = small(seeds=3, seeds_at_once=0)
  problem = small_sets.load(config, "iris")
  made = autoencoder.prepare(config, problem, {CODES: codes})
  assert made.seeds_at_once == 9
  number, one, two = seen
  # To train and to measure each of the two.
  assert number == (3, 20) and len(one) == len(two) == 4
  assert all(a < b for a, b in zip(one, two))


@pytest.fixture(scope="module")
def prepared():
  config = small(seeds=3, seeds_at_once=2, epochs=1, vae_epochs=2)
  problem = small_sets.load(config, "iris")
  made = autoencoder.prepare(config, problem, {results.ERM: erm})
  return config, made


def train(prepared, workdir, **options):
  done: list[int] = []
  groups = dict(
    autoencoder.train(
      *prepared, workdir, show=lambda _: None, on_epochs=done.append, **options
    )
  )
  assert sum(done) == autoencoder.epochs(*prepared) == 2 * (2 + 1)
  return groups, done


def test_train_trains_each_group_once(prepared, tmp_path):
  workdir = tmp_path / "iris"
  first, done = train(prepared, workdir)
  assert list(first) == [0, 2] and done == [1] * 6
  for start, group in first.items():
    path = workdir / f"seeds_{start}_to_{min(start + 1, 2)}.json"
    assert group == files.read_checked(path)
    assert list(group["losses"]) == ["vae", "erm"]
    assert group["mixed_inputs"] is None and group["seconds"] > 0
  (workdir / "seeds_2_to_2.json").unlink()
  again, done = train(prepared, workdir)
  assert again[0] == first[0] and done == [3, 1, 1, 1]
  assert again[2]["measured"] == first[2]["measured"]
  text = path.read_text()
  path.write_text(text.replace('"elbo": [-', '"elbo": [-1', 1))
  with pytest.raises(OSError, match=f"{path} is damaged"):
    train(prepared, workdir)


def test_train_of_a_group_is_of_its_seeds(prepared, tmp_path):
  """In groups of three the third seed gives the same as in a group alone."""
  config, made = prepared
  apart, _ = train(prepared, tmp_path / "apart")
  together = dict(
    autoencoder.train(
      config,
      made._replace(seeds_at_once=3),
      tmp_path / "together",
      show=lambda _: None,
      on_epochs=lambda _: None,
    )
  )
  found, expected = (
    autoencoder.join(list(x.values())) for x in (apart, together)
  )
  chex.assert_trees_all_close(found, expected, rtol=1e-4)


def test_train_of_a_group_that_fails_leaves_no_file(prepared, tmp_path):
  config, made = prepared
  bad = made.problem._replace(features=made.problem.features * np.inf)
  failing = made._replace(problem=bad)
  with pytest.raises(FloatingPointError):
    train((config, failing), tmp_path / "iris")
  assert not (tmp_path / "iris" / "seeds_0_to_1.json").exists()


@pytest.mark.parametrize("epoch, lost", [(2, "seed 0"), (3, ""), (4, "seed 2")])
def test_train_reports_a_group_that_is_lost(
  prepared, tmp_path, monkeypatch, sigterm, epoch, lost
):
  """A group has three epochs; a notice in its last one loses nothing."""

  def train_in_no_time(*_, epochs, on_epoch, **__):
    for _ in range(epochs):
      on_epoch()
    return types.SimpleNamespace(params=()), np.zeros((2, epochs))

  monkeypatch.setattr(dispatch, "train", train_in_no_time)
  monkeypatch.setattr(dispatch, "measure", lambda *_, **__: {})
  numbers = itertools.count(1)

  def on_epochs(count):
    if next(numbers) == epoch:
      sigterm()

  kept = []
  with pytest.raises(preemption.Stopped) as stopped:
    for start, _ in autoencoder.train(
      *prepared, tmp_path / "iris", show=lambda _: None, on_epochs=on_epochs
    ):
      kept.append(start)
  assert lost in stopped.value.lost and bool(stopped.value.lost) == bool(lost)
  assert kept == ([0] if epoch > 2 else [])


def test_join_has_nan_for_the_none_of_a_file():
  group = {"measured": {"vae": {"elbo": [None, 1.0]}}}
  elbo = autoencoder.join([group, group])["vae"]["elbo"]
  chex.assert_trees_all_equal(elbo, np.array([np.nan, 1.0, np.nan, 1.0]))


def test_join_concatenates_groups_by_seed():
  def group(**errors):
    return autoencoder.Group(
      measured={key: {"error": list(x)} for key, x in errors.items()},
      losses={key: [2.5, 1.0] for key in errors},
      mixed_inputs=None,
      seconds=1.5,
    )

  found = autoencoder.join(
    [group(mixup=(1.0, 2.0), erm=(3.0, 4.0)), group(mixup=(5.0,), erm=(6.0,))]
  )
  np.testing.assert_array_equal(found["mixup"]["error"], (1, 2, 5))
  np.testing.assert_array_equal(found["erm"]["error"], (3, 4, 6))
