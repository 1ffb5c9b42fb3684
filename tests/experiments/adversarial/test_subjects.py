"""Proves which networks and images are attacked, and what is refused."""

import json

import jax
import numpy as np
import pytest

from configs import adversarial as configs
from configs import imagenet
from experiments.adversarial import subjects
from mixup_jax import sharding
from mixup_jax.data.in_memory import images
from mixup_jax.data.streaming import batches
from mixup_jax.recipes import pretrained
from mixup_jax.recipes import streaming as streaming_recipe
from mixup_jax.runtime import checkpoint

ONE_DEVICE = sharding.make_mesh(jax.devices()[:1])


def config(**changes):
  values = configs.get_config("smoke")
  values.update(changes)
  return values


@pytest.fixture
def streamed(tmp_path, monkeypatch):
  """Writes a run of section 3.1 whose networks have not learnt anything."""
  monkeypatch.setattr(sharding, "make_mesh", lambda: ONE_DEVICE)
  theirs = imagenet.get_config("smoke,seeds=2")
  theirs.model.update({"blocks": (1,), "width": 2})
  (tmp_path / "result.json").write_text(
    json.dumps({"section": "imagenet", "config": theirs.to_dict()})
  )
  data = batches.load("digits")
  for method, alpha in pretrained.methods(theirs.alpha).items():
    program = streaming_recipe.make_program(
      theirs,
      alpha,
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


def test_images_in_memory_are_the_first_of_the_test_set():
  found = subjects.find(config(num_images=5))
  digits = images.load("digits")
  np.testing.assert_array_equal(found.examples[0], digits.test_images[:5])
  np.testing.assert_array_equal(found.examples[1], digits.test_labels[:5])
  assert list(found.programs) == ["ERM", "mixup, alpha 1"]
  assert len(subjects.find(config()).examples[1]) == 360


def test_streamed_images_and_their_networks(streamed):
  found = subjects.find(config(networks=str(streamed), num_images=300))
  digits = images.load("digits")
  assert found.examples[0].shape == (300, 16, 16, 3)
  np.testing.assert_array_equal(found.examples[1], digits.test_labels[:300])
  assert list(found.programs) == ["ERM", "mixup, alpha 0.2"]
  state, seconds = pretrained.get(
    config(networks=str(streamed)),
    found.programs["ERM"],
    found.data,
    "ERM",
    1,
    streamed,
  )
  assert seconds == 0 and state.step == 0
  logits = found.model.apply(state.variables(), np.zeros((1, 16, 16, 3)))
  assert logits.shape == (1, 10)


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"seeds": 1}, "a black box needs a second network of ERM, got seeds=1"),
    ({"num_images": 361}, "num_images=361, but digits has 360 test images"),
    ({"networks": "nowhere"}, "nowhere is no finished run of .*imagenet"),
  ],
)
def test_what_cannot_be_attacked_is_refused(changes, message):
  with pytest.raises(ValueError, match=message):
    subjects.find(config(**changes))


def test_labels_out_of_range_are_refused(monkeypatch):
  data = images.load("digits")
  labels = np.where(np.arange(360) == 5, 10, data.test_labels)
  monkeypatch.setattr(
    images, "load", lambda *_: data._replace(test_labels=labels)
  )
  with pytest.raises(ValueError, match="digits has the label 10, but only 10"):
    subjects.find(config())
