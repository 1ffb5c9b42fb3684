"""Tests of choosing the networks and images to evaluate."""

import json

import jax
import numpy as np
import pytest

from configs import adversarial
from configs import cifar
from configs import imagenet
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.data.in_memory import images
from mixup_jax.data.streaming import batches
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import pretrained
from mixup_jax.recipes import streaming
from mixup_jax.recipes import subjects
from mixup_jax.runtime import checkpoint

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])
SECTIONS = (*pretrained.SECTIONS, "imagenet")


def config(**changes):
  values = adversarial.get_config("smoke")
  values.update(changes)
  return values


@pytest.fixture
def streamed(tmp_path, monkeypatch):
  """Writes a run of section 3.1 whose networks are not trained."""
  monkeypatch.setattr(sharding, "make_mesh", lambda: ONE_DEVICE)
  theirs = imagenet.get_config("smoke,seeds=2")
  theirs.model.update({"blocks": (1,), "width": 2})
  (tmp_path / "result.json").write_text(
    json.dumps({"section": "imagenet", "config": theirs.to_dict()})
  )
  data = batches.load("digits")
  for method in pretrained.methods(theirs):
    program = streaming.make_program(
      theirs,
      method,
      num_train=len(data.train),
      num_classes=10,
      mean=data.mean,
      std=data.std,
      mesh=ONE_DEVICE,
    )
    for seed in range(2):
      path = pretrained.directory(tmp_path, method, seed) / "checkpoints"
      with checkpoint.Checkpoints(path) as saved:
        saved.save(1, program.init(np.uint32(seed)))
  return tmp_path


def test_examples_in_memory_are_the_first_of_the_test_set():
  found = subjects.find(config(), SECTIONS)
  pixels, labels = subjects.examples(found, 5)
  digits = images.load("digits")
  np.testing.assert_array_equal(pixels, digits.test_images[:5])
  np.testing.assert_array_equal(labels, digits.test_labels[:5])
  assert [each.label for each in found.programs] == ["ERM", "mixup, alpha 1"]
  assert len(subjects.examples(found, 0)[1]) == 360


def test_find_reads_networks_on_streamed_images(streamed):
  values = config(networks=str(streamed))
  found = subjects.find(values, SECTIONS)
  pixels, labels = subjects.examples(found, 300)
  digits = images.load("digits")
  assert pixels.shape == (300, 16, 16, 3)
  np.testing.assert_array_equal(labels, digits.test_labels[:300])
  assert [each.label for each in found.programs] == ["ERM", "mixup, alpha 0.2"]
  networks = list(subjects.trained(values, found, streamed))
  assert [(each.method.key, each.seed) for each in networks] == [
    ("erm", 0),
    ("erm", 1),
    ("mixup", 0),
    ("mixup", 1),
  ]
  for network in networks:
    assert network.seconds == 0 and network.state.step == 0
  logits = found.model.apply(
    networks[1].state.variables(), np.zeros((1, 16, 16, 3))
  )
  assert logits.shape == (1, 10)


def test_trained_has_a_directory_for_each_method_and_seed(
  tmp_path, monkeypatch
):
  monkeypatch.setattr(sharding, "make_mesh", lambda: ONE_DEVICE)
  values = config(epochs=1, num_train=64)
  values.mix.update({"name": "cutmix", "alpha": 0.5})
  values.model.update({"blocks": (1,), "width": 2})
  found = subjects.make(values, in_memory.load(values))
  networks = list(subjects.trained(values, found, tmp_path))
  assert {each.method.label for each in networks} == {
    "ERM",
    "cutmix, alpha 0.5",
  }
  for network in networks:
    assert network.seconds > 0 and network.state.step == 2
    directory = tmp_path / network.method.key / f"seed_{network.seed}"
    assert (directory / "metrics.jsonl").exists()


def test_make_takes_the_rows_of_the_set_that_it_is_given():
  data = images.load("digits")
  half = data._replace(
    train_images=data.train_images[:700], train_labels=data.train_labels[:700]
  )
  found = subjects.make(config(), half)
  assert found.data is half and list(found.programs)[0] == results.ERM


def test_setting_names_overrides_relative_to_the_papers_config():
  theirs = cifar.get_config("dataset=cifar10,model=wide_resnet28_10")
  paper = cifar.get_config("dataset=cifar10,model=wide_resnet28_10")
  theirs.epochs = 12
  assert (
    subjects.setting(theirs, paper) == "cifar10, wide_resnet28_10 (epochs 12)"
  )
  argument = "dataset=imagenet2012,model=resnet101"
  paper = imagenet.get_config(argument)
  theirs = imagenet.get_config(f"{argument},epochs=200")
  assert subjects.setting(theirs, paper) == "imagenet2012, resnet101"
  theirs.model.width = 24
  theirs.dataset = "tiny_imagenet"
  name = "tiny_imagenet, resnet101 (width 24)"
  assert subjects.setting(theirs, paper) == name


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"networks": "nowhere"}, "nowhere is no finished run of .*imagenet"),
    ({"batch_size": 1}, "config.batch_size must be at least 2, got 1"),
  ],
)
def test_find_refuses_what_it_cannot_evaluate(changes, message):
  with pytest.raises(ValueError, match=message):
    subjects.find(config(**changes), SECTIONS)


@pytest.mark.parametrize("count", [-1, 361])
def test_examples_refuses_a_count_that_there_is_not(count):
  found = subjects.find(config(), SECTIONS)
  message = f"num_images={count}, but digits has 360 test images"
  with pytest.raises(ValueError, match=message):
    subjects.examples(found, count)


def test_examples_refuses_labels_out_of_range(monkeypatch):
  data = images.load("digits")
  labels = np.where(np.arange(360) == 5, 10, data.test_labels)
  monkeypatch.setattr(
    images, "load", lambda *_: data._replace(test_labels=labels)
  )
  found = subjects.find(config(), SECTIONS)
  with pytest.raises(ValueError, match="digits has the label 10, but only 10"):
    subjects.examples(found, 0)
