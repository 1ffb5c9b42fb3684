"""Imports point one way, and every module has its test."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
# A module may import from the levels below its own.
LEVELS = (
  {
    "transforms",
    "metrics",
    "attacks",
    "models",
    "data",
    "sharding",
    "results",
    "workdirs",
    "cells",
    "checkpoint",
    "distributed",
    "preemption",
    "platforms",
    "pictures",
    "calibration",
    "points",
    "collectives",
  },
  {"losses", "figures", "neighbors", "preflight"},
  {"state", "optim", "records"},
  {"steps", "loop"},
  {"sweep", "program", "runs"},
  {"training", "streaming", "rehearsal"},
  {"recipe"},
  {"cli", "networks", "streaming_recipe"},
)
# Besides, losses knows the labels that transforms make, and nothing else.
ONLY = {"losses": {"transforms"}}
MODULES = sorted((ROOT / "mixup_jax").rglob("*.py"))


def parts(path: pathlib.Path) -> tuple[str, ...]:
  return path.relative_to(ROOT).with_suffix("").parts


def imported(path: pathlib.Path) -> set[str]:
  """Returns every module that a file imports, anywhere in it."""
  names = set()
  for node in ast.walk(ast.parse(path.read_text())):
    if isinstance(node, ast.Import):
      names |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
      assert node.level == 0, f"{path}: relative import"
      names |= {f"{node.module}.{alias.name}" for alias in node.names}
  return names


def level(name: str) -> int:
  found = [index for index, names in enumerate(LEVELS) if name in names]
  assert found, f"{name} has no level: give it one in this test"
  return found[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: "/".join(parts(p)))
def test_the_package_imports_downwards(path):
  own = parts(path)[1]
  if own == "__init__":
    return
  for name in imported(path):
    if not name.startswith("mixup_jax."):
      assert not name.startswith(("experiments", "configs", "tests")), name
      continue
    other = name.split(".")[1]
    if other != own:
      assert level(other) < level(own), f"{own} imports {other}"
      assert other in ONLY.get(own, {other}), f"{own} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: "/".join(parts(p)))
def test_libraries_stay_where_they_belong(path):
  own = parts(path)[1]
  roots = {name.split(".")[0] for name in imported(path)}
  assert "tensorflow" not in roots
  if own != "data":
    assert not roots & {"tensorflow_datasets", "grain", "sklearn"}
  if own in ("transforms", "losses", "__init__"):
    allowed = {"jax", "numpy", "mixup_jax"}
    assert not roots & {"flax", "optax", "chex"} and roots - allowed <= {
      "typing",
      "numbers",
      "functools",
      "math",
    }


@pytest.mark.parametrize(
  "path",
  sorted((ROOT / "experiments").rglob("*.py")),
  ids=lambda p: "/".join(parts(p)),
)
def test_experiments_do_not_import_each_other(path):
  own = ".".join(parts(path)[:2])
  for name in imported(path):
    assert not name.startswith("experiments.") or name.startswith(f"{own}.")


@pytest.mark.parametrize(
  "path", sorted((ROOT / "configs").glob("*.py")), ids=lambda p: p.stem
)
def test_configs_import_only_ml_collections_and_each_other(path):
  for name in imported(path):
    assert name.split(".")[0] in (
      "ml_collections",
      "configs",
      "typing",
      "difflib",
    ), name


def test_tests_mirror_the_tree():
  sources = [
    *MODULES,
    *(ROOT / "experiments").rglob("*.py"),
    *(ROOT / "configs").glob("*.py"),
  ]
  for path in sources:
    *folders, name = parts(path)
    if folders[0] == "mixup_jax":
      folders = folders[1:]
    if name == "__init__":
      continue  # Covered by test_public_api and the tests of the parts.
    test = ROOT.joinpath("tests", *folders, f"test_{name.strip('_')}.py")
    assert test.exists(), f"{'/'.join(parts(path))}.py has no test {test}"
