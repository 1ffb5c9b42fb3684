"""Tests that `--config.mix.name=NAME` is a step of each image section.

Nothing is trained: a step is traced, on 8 devices, for a padded batch, in a run
whose first and last epochs are not mixed.
"""

import sys

import jax
import numpy as np
import pytest

from experiments import ablation
from experiments import cifar
from experiments import corrupted_labels
from experiments import imagenet
from experiments import speech
from mixup_jax import results
from mixup_jax.recipes import mixing
from mixup_jax.runtime import cli
from mixup_jax.train.run import state_shapes

SHAPE = jax.ShapeDtypeStruct
BATCH = 16
NETWORK = ("--config.model.width=2", "--config.model.blocks=(1,)")
# Arguments of a config file, and flags; all but the mix.
RESIDENT = ("smoke", *NETWORK, "--config.num_train=72")
SECTIONS = {
  "cifar": (cifar, *RESIDENT, "--config.method=mix"),
  "imagenet": (imagenet, "smoke", *NETWORK, "--config.method=mix"),
  "corrupted_labels": (
    corrupted_labels,
    "smoke,noise=50,method=mixup",
    *RESIDENT[1:],
  ),
  "ablation": (ablation, "smoke,rows=mix", *RESIDENT[1:]),
  "speech, spectrograms": (speech, "smoke,level=spectrogram"),
  "speech, waveforms": (speech, "smoke,level=waveform"),
}
ROW = results.summarize(
  [1.0], setting="s", method=results.ERM, metric="m", epochs=1
)


def launch(monkeypatch, workdir, section, name, run):
  """Starts a section from the command line, but for what it runs."""
  module, argument, *flags = SECTIONS[section]
  monkeypatch.setattr(
    sys,
    "argv",
    [
      "section",
      f"--config={module.CONFIG}:{argument}",
      f"--workdir={workdir}",
      f"--config.mix.name={name}",
      "--config.mix.plain_first_epochs=1",
      "--config.mix.plain_last_epochs=1",
      "--config.epochs=4",
      f"--config.batch_size={BATCH}",
      f"--config.eval_batch_size={BATCH}",
      *flags,
    ],
  )
  cli.launch(
    "section", prepare=module.prepare, run=run, config_file=module.CONFIG
  )


def batch_of(section, data, image_size=None):
  """Returns the shapes of a batch with padding: two steps of a resident set."""
  if section == "imagenet":
    return {
      "images": SHAPE((BATCH, image_size, image_size, 3), np.uint8),
      "labels": SHAPE((BATCH,), np.int32),
      "where": SHAPE((BATCH,), np.bool),
    }
  images, labels = (
    data.train
    if section.startswith("speech")
    else (data.train_images, data.train_labels)
  )
  return {
    "images": SHAPE(images.shape, images.dtype),
    "labels": SHAPE(labels.shape, labels.dtype),
    "rows": SHAPE((2, BATCH), np.int32),
    "where": SHAPE((2, BATCH), np.bool),
  }


def programs_of(section, prepared):
  """Returns the programs of a section that mix."""
  if section.startswith("speech"):
    return [
      make()
      for network, make in prepared.make_programs.items()
      if network.method != results.ERM
    ]
  return list(prepared.programs.values())


@pytest.fixture
def made(monkeypatch):
  """Returns the names of the transforms that were made, parts before wholes."""
  names = []

  def record(name, maker):
    return lambda *args: names.insert(0, name) or maker(*args)

  for name, maker in mixing.TRANSFORMS.items():
    monkeypatch.setitem(mixing.TRANSFORMS, name, record(name, maker))
  return names


def shapes(tree):
  return jax.tree.map(lambda x: (x.shape, x.dtype), tree)


@pytest.mark.parametrize("name", mixing.TRANSFORMS)
@pytest.mark.parametrize("section", SECTIONS)
def test_launch_traces_a_step_of_every_transform(
  monkeypatch, tmp_path, capsys, made, section, name
):
  traced = []

  def run(config, prepared, recorder):
    batch = batch_of(section, prepared.data, config.get("image_size"))
    (program,) = programs_of(section, prepared)
    state = state_shapes(program)
    seed = SHAPE((), np.uint32)
    traced.append((state, *program.step.eval_shape(seed, state, batch)))
    return {"rows": [ROW]}

  if (section, name) == ("speech, waveforms", "manifold"):
    with pytest.raises(SystemExit):
      launch(monkeypatch, tmp_path, section, name, run)
    assert "hidden layers are of spectrograms" in capsys.readouterr().err
    return
  launch(monkeypatch, tmp_path, section, name, run)
  assert made[-1] == name
  ((before, after, metrics),) = traced
  assert shapes(after) == shapes(before)
  assert set(metrics) == {"loss", "error", "learning_rate"}
  assert metrics["loss"].shape == (() if section == "imagenet" else (2,))
