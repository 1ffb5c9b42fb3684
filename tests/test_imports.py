"""Tests of the direction of imports, and of a test for every module."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).parent.parent
# The order of the data flow: a package imports from itself and those before it.
ORDER = (
  "transforms",
  "losses",
  "metrics",
  "models",
  "sharding",
  "runtime.preemption",
  "runtime.storage",
  "data",
  "results",
  "runtime.checkpoint",
  "runtime.distributed",
  "runtime.jobs",
  "train",
  "evaluation",
  "gan",
  "recipes",
  "cost_model",
  "runtime.fields",
  "runtime.preflight",
  "runtime.signals",
  "runtime.device_errors",
  "runtime.arguments",
  "runtime.compile_cache",
  "runtime.one_line",
  "runtime.cli",
)
# Besides, losses know the labels that transforms make, and nothing else. What
# these packages may import, the base install has.
ONLY = {
  "losses": {"transforms"},
  "metrics": {"losses", "transforms"},
  "models": set(),
  "sharding": {"transforms"},
  "transforms": set(),
}
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


def room(names: tuple[str, ...]) -> str:
  """Returns the package of a dotted name below mixup_jax, as `ORDER` has it."""
  depth = 2 if names[0] == "runtime" else 1
  found = ".".join(names[:depth])
  assert found in ORDER, f"{found} has no place: give it one in this test"
  return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: "/".join(parts(p)))
def test_packages_import_what_comes_before_them(path):
  if path.name == "__init__.py" and len(parts(path)) <= 3:
    return  # Of the package itself, and what a package re-exports.
  own = room(parts(path)[1:])
  for name in imported(path):
    if not name.startswith("mixup_jax."):
      assert not name.startswith(("experiments", "configs", "tests")), name
      continue
    other = room(tuple(name.split(".")[1:]))
    if other != own:
      assert ORDER.index(other) < ORDER.index(own), f"{own} imports {other}"
      assert other in ONLY.get(own, {other}), f"{own} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: "/".join(parts(p)))
def test_libraries_stay_where_they_belong(path):
  own = parts(path)[1]
  roots = {name.split(".")[0] for name in imported(path)}
  assert "tensorflow" not in roots
  if own != "data":
    assert not roots & {"tensorflow_datasets", "grain", "sklearn"}
  if own in ("__init__", "losses", "metrics", "sharding", "transforms"):
    allowed = {"jax", "numpy", "mixup_jax"}
    assert not roots & {"flax", "optax", "chex"} and roots - allowed <= {
      "dataclasses",
      "functools",
      "inspect",
      "math",
      "numbers",
      "typing",
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
