"""Tests of the command line: its flags, and where its config lies."""

import sys

import pytest

from configs import tabular
from mixup_jax.runtime import arguments


@pytest.fixture
def parse(monkeypatch):
  """Returns a function that parses the words of a command line."""

  def words(*argv):
    monkeypatch.setattr(sys, "argv", ["tabular", *argv])
    return arguments.parse("tabular", tabular.__file__)

  return words


def test_parse_returns_flags_and_the_config(parse):
  values = parse("--workdir=run", "--config.seeds=3", "--expect_devices=8")
  assert (values.workdir, values.expect_devices) == ("run", 8)
  assert values.config.seeds == 3
  assert not values.debug and not values.distributed
  assert values.coordinator is values.rehearse is None


def test_parse_takes_the_words_that_it_is_given(monkeypatch):
  monkeypatch.setattr(sys, "argv", ["tabular", "--config.seeds=4", "--none"])
  words = ["tabular", "--config.seeds=3", "--workdir=run"]
  values = arguments.parse("tabular", tabular.__file__, words)
  assert (values.config.seeds, values.workdir) == (3, "run")


def test_parse_prefers_a_config_of_the_user(parse, monkeypatch, tmp_path):
  monkeypatch.chdir(tmp_path)
  command = "--config=configs/tabular.py:seeds=3"
  assert parse(command).config.datasets == tabular.get_config().datasets
  (tmp_path / "configs").mkdir()
  (tmp_path / "configs" / "tabular.py").write_text(
    "import ml_collections\n"
    "def get_config(argument):\n"
    "  return ml_collections.ConfigDict({'own': argument})\n"
  )
  assert parse(command).config.own == "seeds=3"


def test_parse_refuses_words_that_are_no_flags(parse):
  with pytest.raises(ValueError, match=r"\['seeds=3'\]: flags look like"):
    parse("seeds=3")


def test_parse_suggests_a_close_field(parse):
  with pytest.raises(ValueError, match="did you mean --config.seeds"):
    parse("--config.sedes=3")


def test_parse_prints_the_flags_for_help(parse, capsys):
  with pytest.raises(SystemExit) as status:
    parse("--help")
  assert status.value.code == 0
  assert "--expect_devices" in capsys.readouterr().out
