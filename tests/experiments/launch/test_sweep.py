"""Tests of sweeps."""

import pytest

from configs import imagenet
from experiments.launch import sweep


@pytest.fixture(scope="module")
def config():
  return imagenet.get_config("seeds=5")


def test_cells_without_words_are_one_without_a_name(config):
  assert sweep.cells([], config) == [("", ())]


def test_cells_are_all_combinations(config):
  cells = sweep.cells(["alpha=0.1,0.2,0.4", "seeds=3"], config)
  assert len(cells) == len({cell.name for cell in cells}) == 9
  assert cells[5] == (
    "alpha_0.2-seed_2",
    ("--config.mix.alpha=0.2", "--config.seeds=1", "--config.first_seed=2"),
  )


def test_cells_count_seeds_from_the_first(config):
  config = config.copy_and_resolve_references()
  config.first_seed = 7
  names = [cell.name for cell in sweep.cells(["seeds=2"], config)]
  assert names == ["seed_7", "seed_8"]


@pytest.mark.parametrize(
  "words, message",
  [
    (["alpha"], "--sweep alpha: write FIELD=VALUE"),
    (["alpha=0.1,"], "write FIELD=VALUE"),
    (["alpha=0.1,0.1"], "alpha_0.1 is there twice"),
    (["alpha=0.1", "mix.alpha=0.2"], "mix.alpha is there twice"),
    (["alpa=0.1"], "--sweep alpa: .* no such field; it has .*mix.alpha"),
    (["name=a,b"], "several fields .* mix.name, model.name"),
    (["seeds=0"], "--sweep seeds=0: seeds is how many"),
    (["seeds=1,2"], "seeds is how many"),
  ],
)
def test_cells_refuse_words_that_cannot_be_right(config, words, message):
  with pytest.raises(ValueError, match=message):
    sweep.cells(words, config)


def test_cells_refuse_seeds_where_there_is_no_first_seed():
  with pytest.raises(ValueError, match="--sweep seeds=3: .*first_seed"):
    sweep.cells(["seeds=3"], {"seeds": 4})
