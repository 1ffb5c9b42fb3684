"""A field that a config lacks is named, with what was meant."""

import pathlib

import pytest

from mixup_jax.runtime import fields

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize(
  "words, message",
  [
    (
      ["--config.mix.alpha=1"],
      "--config.mix.alpha: the config has no such field; did you mean "
      "--config.alphas. The fields of config.mix are .*per_example",
    ),
    (
      ["-config.epoch=1"],
      "--config.epoch: .*did you mean --config.epochs. The fields of config "
      "are .*, batch_size, .*epochs",
    ),
    (["--config.x.y=1"], "--config.x.y: the config has no such field; The fi"),
    (
      [
        f"--config={CONFIGS / 'corrupted_labels.py'}:smoke",
        "--config.alphas=1",
      ],
      "--config.alphas: .*The fields of config are .*cells",
    ),
  ],
)
def test_check_names_the_field_and_those_that_there_are(words, message):
  with pytest.raises(ValueError, match=message):
    fields.check(["toy", *words], CONFIGS / "tabular.py")


def test_check_passes_over_fields_that_there_are():
  words = ["toy", "--config.epochs=1", "--config.mix.fold", "--config.model=1"]
  fields.check([*words, "--workdir=config.x"], CONFIGS / "tabular.py")
