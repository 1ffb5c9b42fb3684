"""Tests of what TFDS is told of a set."""

import tempfile

import pytest

from mixup_jax.data.sources.cifar.builder import Cifar
from mixup_jax.data.sources.image_folder.builder import ImageFolder
from mixup_jax.data.sources.speech_commands.builder import Speech
from mixup_jax.data.sources.svhn.builder import Svhn
from mixup_jax.data.sources.uci.builder import Uci


@pytest.mark.parametrize(
  "make, options",
  [
    (Cifar, {"config": "cifar10"}),
    (ImageFolder, {"config": "mine"}),
    (Speech, {"config": "speech_commands_v0.01"}),
    (Svhn, {}),
    (Uci, {"config": "iris"}),
  ],
)
def test_builders_leave_nothing_in_the_temporary_directory(
  tmp_path, monkeypatch, make, options
):
  if make is ImageFolder:
    for part in ("train", "val"):
      (tmp_path / "raw" / part / "a").mkdir(parents=True)
      (tmp_path / "raw" / part / "a" / "b.jpg").touch()
    options = options | {"folder": tmp_path / "raw"}
  temporary = tmp_path / "tmp"
  temporary.mkdir()
  monkeypatch.setattr(tempfile, "tempdir", str(temporary))
  builder = make(data_dir=tmp_path / "data", **options)
  assert not builder.is_prepared() and not list(temporary.iterdir())
