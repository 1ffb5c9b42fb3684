"""Tests of the documents: their length, links and commands."""

import configparser
import importlib.util
import json
import pathlib
import re
import shlex
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import optimize
from scipy import special

from experiments.benchmark import __main__ as benchmark
from mixup_jax import results
from mixup_jax.data import prepare
from mixup_jax.runtime import arguments

ROOT = pathlib.Path(__file__).parent.parent
README = ROOT / "README.md"
RESULTS = ROOT / "experiments" / "results"
DOCUMENTS = [README, *sorted((ROOT / "experiments").rglob("*.md"))]
MAX_LINES, MAX_WORDS = 150, 1200

each_document = pytest.mark.parametrize(
  "path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def commands(path: pathlib.Path) -> list[list[str]]:
  """Returns the words after `python -m` of every command of a document."""
  text = path.read_text(encoding="utf-8").replace("\\\n", " ")
  blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
  lines = [line for block in blocks for line in block.splitlines()]
  lines += re.findall(r"`([^`\n]*python -m [^`\n]*)`", text)
  return [
    shlex.split(part.split("python -m ")[1], comments=True)
    for line in lines
    for part in line.split(" && ")
    if "python -m " in part
  ]


ALL_COMMANDS = [words for path in DOCUMENTS for words in commands(path)]


def test_readme_is_short():
  text = README.read_text(encoding="utf-8")
  assert len(text.splitlines()) <= MAX_LINES
  assert len(text.split()) <= MAX_WORDS


def test_readme_has_one_test_command():
  lines = README.read_text(encoding="utf-8").splitlines()
  (command,) = [line for line in lines if line.endswith("pytest")]
  assert command.startswith("python3 -m venv .venv && ")  # As .ci/run runs it.


def test_readme_names_every_package():
  text = README.read_text(encoding="utf-8")
  for path in (ROOT / "mixup_jax").glob("*/__init__.py"):
    assert f"\n{path.parent.name}/ " in text


@each_document
def test_links_exist(path):
  text = path.read_text(encoding="utf-8")
  links = re.findall(r"\]\(([^)\s]+)\)", text)
  assert links or "](" not in text
  for link in links:
    if not link.startswith("https://"):
      assert (path.parent / link).exists(), link


def test_every_page_and_picture_is_linked():
  linked = set()
  for path in DOCUMENTS:
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text("utf-8")):
      linked.add((path.parent / link).resolve())
  for path in [*DOCUMENTS[1:], *RESULTS.glob("*.png")]:
    assert path.resolve() in linked, path.name


@pytest.mark.parametrize("words", ALL_COMMANDS, ids=" ".join)
def test_commands_name_modules_and_configs(words, monkeypatch):
  module, *words_after = words
  if module in ("venv", "pytest"):
    return
  assert importlib.util.find_spec(module), module
  section = module.removeprefix("experiments.")
  config = ROOT / "configs" / f"{section}.py"
  if module == "mixup_jax.data.prepare":
    names = [x for x in words_after if not x.startswith("-")]
    if "--raw" in words_after:
      names = words_after[: words_after.index("--raw")]
    assert names and set(names) <= set(prepare.SETS)
  elif section == "benchmark":
    with pytest.raises(SystemExit) as raised:
      benchmark.main([*words_after, "--help"])
    assert raised.value.code == 0
  elif config.exists() and "--help" not in words_after:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", [module, *words_after])
    values = arguments.parse(section, config)
    assert values.config.to_dict()


@each_document
def test_extras_are_those_of_the_package(path):
  settings = configparser.ConfigParser()
  settings.read(ROOT / "setup.cfg")
  for names in re.findall(r"'\.\[(.*?)\]'", path.read_text("utf-8")):
    assert set(names.split(",")) <= set(settings["options.extras_require"])


def outside_of_tables(path: pathlib.Path) -> str:
  """Returns a document in one line, without what is made of result files."""
  text = path.read_text(encoding="utf-8")
  made = r"<!-- (\w+) -->.*?<!-- end of \1 -->"
  return " ".join(re.sub(made, "", text, flags=re.DOTALL).split())


@each_document
def test_means_are_those_of_result_files(path):
  text = path.read_text(encoding="utf-8")
  names = re.findall(r"<!-- end of (\w+) -->", text)
  files = [RESULTS / f"{name}.json" for name in names]
  if path.parent != RESULTS:
    files = sorted(RESULTS.glob("*.json"))
  known = [
    (abs(row["value"]), results.standard_error(row))
    for file in files
    for row in json.loads(file.read_text("utf-8"))["rows"]
    if row["n"] > 1 and row["value"] is not None
  ]
  for pair in re.findall(r"([\d.]+) ± ([\d.]*\d)", outside_of_tables(path)):
    decimals = len(pair[0].partition(".")[2])
    shown = {tuple(f"{x:.{decimals}f}" for x in numbers) for numbers in known}
    assert pair in shown


def test_snippet_trains_to_the_least_vicinal_risk():
  """Of two points, where it is an integral over lam of one number, w.

  Half of the pairs are of one class. The others are mixed, and the difference
  of their logits is w at an example, (2 lam - 1) w at a mix.
  """
  text = README.read_text(encoding="utf-8")
  (code,) = re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
  names: dict = {}
  exec(code, names)
  labels = jnp.arange(64, dtype=jnp.int32) % 2
  images = 5 * jax.nn.one_hot(labels, 2)
  weights, reached = jnp.zeros((2, 2)), []
  for key in jax.random.split(jax.random.key(0), 300):
    weights, _ = names["train_step"](weights, key, images, labels)
    reached.append(weights)
  logits = 5 * np.mean(reached[100:], axis=0)

  quantiles = np.linspace(0, 1, 2001)[1::2]
  lam = special.betaincinv(0.2, 0.2, quantiles)

  def risk(w):
    mixed = np.logaddexp(0, (1 - 2 * lam) * w) * lam * 2  # Of lam and 1 - lam.
    return (np.logaddexp(0, -w) + mixed.mean()) / 2

  least = optimize.minimize_scalar(risk, bounds=(0, 50), method="bounded")
  assert risk(logits[0, 0] - logits[0, 1]) < least.fun + 1e-3
  assert risk(logits[1, 1] - logits[1, 0]) < least.fun + 1e-3
