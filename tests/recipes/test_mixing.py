"""Tests of methods from configs: their labels, options and schedules."""

import ml_collections
import pytest

from configs import mixing as configs
from mixup_jax import results
from mixup_jax.recipes import mixing

each_name = pytest.mark.parametrize("name", mixing.TRANSFORMS)


def mix(name="mixup", **changes):
  values = configs.get_mix(alpha=1.0, name=name)
  values.update(changes)
  return values


LABELS = {
  "mixup": ("mixup, alpha 1", 1.0),
  "cutmix": ("cutmix, alpha 1", 1.0),
  "mixup_or_cutmix": ("mixup or cutmix, alpha 1", 1.0),
  "resizemix": ("resizemix, scale 0.1 0.8", 0.0),
  "fmix": ("fmix, alpha 1, decay 3", 1.0),
  "regmixup": ("regmixup, alpha 1, eta 1", 1.0),
  "manifold": ("manifold, alpha 1, layers 0 1 2", 1.0),
  "inputs_only": ("inputs only, alpha 1", 1.0),
  "inputs_only_same_class": ("inputs only same class, alpha 1", 1.0),
  "inputs_with_smoothing": ("inputs with smoothing, alpha 1, epsilon 0.1", 1.0),
  "label_smoothing": ("label smoothing, epsilon 0.1", 0.0),
  "gaussian_noise": ("gaussian noise, sigma 0.1", 0.0),
}


@each_name
def test_method_has_the_name_as_key_and_options_in_its_label(name):
  assert mixing.method(mix(name)) == results.Method(name, *LABELS[name])
  assert ", ".join(mixing.describe(mix(name))) == LABELS[name][0]


def test_method_shows_options_in_short():
  assert mixing.method(mix(alpha=0.2)).label == "mixup, alpha 0.2"
  assert mixing.method(mix("gaussian_noise", sigma=1.0)).label == (
    "gaussian noise, sigma 1"
  )
  assert mixing.describe(mix("manifold", layers=(2,))) == (
    "manifold",
    "alpha 1, layers 2",
  )


@pytest.mark.parametrize(
  "name, message",
  [
    ("mixpu", "config.mix.name='mixpu'. Did you mean 'mixup'. Known are mixup"),
    ("Cutmix", "Did you mean 'cutmix'"),
    ("xyz", r"config.mix.name='xyz'. Known are .*gaussian_noise\.$"),
  ],
)
def test_method_names_what_is_close(name, message):
  with pytest.raises(ValueError, match=message):
    mixing.method(mix(name))


def section(method="all", **changes):
  return ml_collections.ConfigDict({"method": method, "mix": mix(**changes)})


def test_methods_returns_erm_the_transform_or_both():
  cutmix = results.Method("cutmix", "cutmix, alpha 1", 1.0)
  assert mixing.methods(section("erm", name="cutmix")) == [results.ERM]
  assert mixing.methods(section("mix", name="cutmix")) == [cutmix]
  assert mixing.methods(section("all", name="cutmix")) == [results.ERM, cutmix]


@pytest.mark.parametrize("method", ("erm", "mix", "all"))
def test_methods_refuses_what_cannot_be_mixed(method):
  with pytest.raises(ValueError, match="Did you mean 'mixup'"):
    mixing.methods(section(method, name="mixupp"))
  with pytest.raises(ValueError, match="alpha must be .* got -1"):
    mixing.methods(section(method, alpha=-1.0))


def test_methods_refuses_an_alpha_of_0_where_it_is_mixed():
  assert mixing.methods(section("erm", alpha=0.0)) == [results.ERM]
  for method in ("mix", "all"):
    with pytest.raises(ValueError, match="alpha=0 mixes nothing"):
      mixing.methods(section(method, alpha=0.0))
  (noise,) = mixing.methods(section("mix", name="gaussian_noise", alpha=0.0))
  assert noise.key == "gaussian_noise"  # It has no alpha.


def test_methods_refuses_an_unknown_method():
  with pytest.raises(
    ValueError, match="unknown method 'mixup': choose one of erm, mix, all"
  ):
    mixing.methods(section("mixup"))


def test_plain_steps_are_those_of_the_epochs():
  assert mixing.plain_steps(mix(), 10, 7) == {"num_plain_steps": 0}
  first = mix(plain_first_epochs=2)
  assert mixing.plain_steps(first, 10, 7) == {"num_plain_steps": 14}
  both = mix(plain_first_epochs=2, plain_last_epochs=3)
  assert mixing.plain_steps(both, 10, 7) == {
    "num_plain_steps": 14,
    "num_mixed_steps": 49,
  }
  mixing.plain_steps(both, 5, 7)  # All of them are plain: that may be.


@pytest.mark.parametrize("first, last", [(-1, 0), (0, -1), (3, 3), (6, 0)])
def test_plain_steps_refuses_more_epochs_than_there_are(first, last):
  values = mix(plain_first_epochs=first, plain_last_epochs=last)
  with pytest.raises(
    ValueError,
    match=f"plain_first_epochs={first} and plain_last_epochs={last} must be "
    "at least 0, and together at most the 5 epochs",
  ):
    mixing.plain_steps(values, 5, 7)


def test_changed_leaves_the_config_as_it_is():
  values = section()
  other = mixing.changed(values.mix, alpha=0.4, layers=(3,))
  assert (other.alpha, other.layers) == (0.4, (3,))
  assert values.mix == mix() and other.name == "mixup"
