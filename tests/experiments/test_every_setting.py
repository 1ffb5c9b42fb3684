"""Every section names each field that can change a result in its label.

The paper's number stands beside a row whose label is the paper's alone.
"""

import pytest

from configs import ablation as ablation_config
from configs import adversarial as adversarial_config
from configs import cifar as cifar_config
from configs import corrupted_labels as corrupted_config
from configs import gan as gan_config
from configs import imagenet as imagenet_config
from configs import speech as speech_config
from configs import tabular as tabular_config
from experiments import ablation
from experiments import adversarial
from experiments import corrupted_labels
from experiments import gan
from experiments import imagenet
from experiments import speech
from experiments import tabular
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import protocol
from mixup_jax.recipes import ranges

CIFAR = cifar_config.get_config("dataset=cifar10")
SPEECH = "dataset=speech_commands_v0.01,model=vgg11"
NETWORKS = imagenet_config.get_config("dataset=imagenet2012,model=resnet101")


def attacked(config):
  """As the first label of adversarial.rows, which has epsilon too."""
  return adversarial.setting(config, NETWORKS), config.epsilon


def played(config):
  run = gan.plan(config)[-1]  # Of mixup.
  return gan.setting(config, run, run.iterations), run.method


# By section: its config, its label, and which fields the label leaves out.
SECTIONS = {
  "cifar": (CIFAR, lambda config: in_memory.setting(config, CIFAR), {}),
  "imagenet": (
    imagenet_config.get_config("dataset=imagenet2012"),
    imagenet.setting,
    {},
  ),
  "speech": (
    speech_config.get_config(SPEECH),
    lambda config: speech.setting(config, "vgg11"),
    {"models", "levels", "alphas"}
    | {f"lenet.{name}" for name in ("width", "hidden", "dropout")},
  ),
  "corrupted_labels": (
    corrupted_config.get_config("dataset=cifar10"),
    lambda config: corrupted_labels.setting(config, 0.8),
    {},
  ),
  "tabular": (
    tabular_config.get_config(),
    lambda config: tabular.setting(config, "iris"),
    {"alphas"},
  ),
  "ablation": (
    ablation_config.get_config("dataset=cifar10"),
    lambda config: ablation.setting(config, 1e-4),
    {"weight_decays"},
  ),
  "networks attacked": (
    NETWORKS,
    lambda config: adversarial.setting(
      adversarial_config.get_config("dataset=cifar10"), config
    ),
    {"epochs", "decay_at"},
  ),
}


def leaves(config):
  """Returns the names and values of all fields."""
  return dict(ranges.leaves(config))


def other(value):
  """Returns another value of the same type."""
  if isinstance(value, bool):
    return not value
  if isinstance(value, str):
    return f"{value}_other"
  return value[:1] * 5 if isinstance(value, tuple) else value + 1 + abs(value)


@pytest.mark.parametrize("section", SECTIONS)
def test_settings_name_every_field_that_can_change_a_result(section):
  paper, setting, left_out = SECTIONS[section]
  left_out = {*left_out, *protocol.NEUTRAL, *protocol.OF_METHODS}
  label = setting(paper)
  for name, value in leaves(paper).items():
    if name in left_out or name == "model.name":
      continue
    config = paper.copy_and_resolve_references()
    config.update_from_flattened_dict({name: other(value)})
    assert setting(config) != label, name


@pytest.mark.parametrize(
  "name", ("epsilon", "iterations", "pgd_steps", "restarts", "num_images")
)
def test_settings_name_every_field_of_an_attack(name):
  config = adversarial_config.get_config("dataset=cifar10")
  label = attacked(config)
  config[name] = 2 * config[name] + 1
  assert attacked(config) != label


@pytest.mark.parametrize(
  "name",
  ("alpha", "hidden", "num_latents", "batch_size", "learning_rate")
  + ("discriminator_steps", "generator_losses", "num_points", "iterations"),
)
def test_settings_name_every_field_of_a_game(name):
  config = gan_config.get_config()
  label = played(config)
  config[name] = {
    "hidden": (512, 512, 256),
    "generator_losses": ("non_saturating",),
  }.get(name) or 2 * config[name]
  assert played(config) != label
