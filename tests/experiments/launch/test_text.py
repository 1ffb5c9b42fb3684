"""Tests of templates and quoting."""

import shlex

import pytest
import yaml

from experiments.launch import text


def test_fill_replaces_names_and_indents_lines():
  template = "a: <<x>>, <<y>>\n  <<many>>\n  <<none>>\ncat <<'END'\n"
  values = {"x": "1", "y": "2", "many": "- b\n- c", "none": ""}
  filled = text.fill(template, values)
  assert filled == "a: 1, 2\n  - b\n  - c\ncat <<'END'\n"


def test_fill_raises_for_a_name_without_a_value():
  with pytest.raises(KeyError, match="missing"):
    text.fill("<<missing>>", {})


@pytest.mark.parametrize(
  "word",
  [
    "--config=configs/imagenet.py:dataset=imagenet2012,epochs=90",
    *("gs://BUCKET/a", "yes", "Null", "1e3", "0x1", "-1", "12:30:00", "~"),
    *("a: b", "a #b", "a:", "'a'", '"', "[a]", "*a", "--a=(0, 1)", "", "é"),
    *("on", "2026-11-26", "--config.mix.name='x y'", "a\\b", "-m", ".inf"),
  ],
)
def test_yaml_is_read_as_the_same_text(word):
  assert yaml.safe_load(f"- {text.yaml(word)}") == [word]


def test_yaml_leaves_plain_words_plain():
  assert text.yaml("--workdir=gs://BUCKET/a") == "--workdir=gs://BUCKET/a"


def test_shell_is_read_as_the_same_words():
  words = ["python", "-m", "a.b", "--x=1 2", "--y='$HOME'", "--z=a;b"]
  assert shlex.split(text.shell(words).replace("\\\n", "")) == words
