"""Tests of the style of the public functions."""

import inspect
import subprocess
import sys

import pytest

import mixup_jax
from mixup_jax import losses
from mixup_jax import metrics
from mixup_jax import transforms

FUNCTIONS = [
  getattr(transforms, name)
  for name in transforms.__all__
  if inspect.isfunction(getattr(transforms, name))
  and name not in ("as_transform", "takes")  # They take functions.
] + [
  losses.cross_entropy,
  losses.zero_one,
  losses.label_weights,
  metrics.classification,
]
ARRAYS = {
  "inputs",
  "images",
  "targets",
  "labels",
  "lam",
  "logits",
  "mixed",
  "counts",
  "costs",
  "tree",
  "mix",
  "box",
  "neighbors",
  "ids",
  "a",
  "b",
}
SIZES = {"batch_size", "size", "alpha", "num_classes"}

each_function = pytest.mark.parametrize(
  "function", FUNCTIONS, ids=lambda f: f.__name__
)


@each_function
def test_key_comes_first_then_arrays_then_keywords(function):
  parameters = inspect.signature(function).parameters
  names = list(parameters)
  assert "key" not in names[1:]
  for name, parameter in parameters.items():
    if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and name != "key":
      assert name in ARRAYS | SIZES
      assert parameter.default is parameter.empty
    if parameter.default is not parameter.empty:
      assert parameter.kind is parameter.KEYWORD_ONLY


@each_function
def test_everything_is_annotated(function):
  signature = inspect.signature(function)
  assert signature.return_annotation is not signature.empty
  for parameter in signature.parameters.values():
    assert parameter.annotation is not parameter.empty


@each_function
def test_docstrings_have_their_parts(function):
  text = inspect.getdoc(function)
  first = text.splitlines()[0]
  assert first.endswith(".") and first[0].isupper() and len(first) < 80
  verb = first.split()[0]
  assert verb.endswith("s"), f"{verb} is not the third person"
  parts = dict.fromkeys(
    ("Args:", "Returns:", "Raises:")
  )  # In this order, where they are.
  positions = [text.find(part) for part in parts if part in text]
  assert positions == sorted(positions)
  assert "Args:" in text
  for name in inspect.signature(function).parameters:
    assert f"{name}: " in text.split("Args:")[1], name
  if inspect.signature(function).return_annotation not in (None, "None"):
    assert "Returns:" in text
  if "raise " in inspect.getsource(function):
    assert "Raises:" in text


@each_function
def test_shapes_are_given_for_array_arguments(function):
  if set(inspect.signature(function).parameters) & {"labels", "logits"}:
    assert "`[" in inspect.getdoc(function)


def test_names_of_the_package_are_those_of_the_transforms():
  for name in transforms.__all__:
    assert getattr(mixup_jax, name) is getattr(transforms, name)
  assert sorted(transforms.__all__, key=str.lower) == list(transforms.__all__)


def test_importing_the_public_modules_imports_nothing_heavy():
  heavy = (
    "flax",
    "optax",
    "chex",
    "tensorflow",
    "tensorflow_datasets",
    "sklearn",
    "matplotlib",
    "ml_collections",
    "absl",
    "orbax",
    "tensorboardX",
  )
  code = (
    "import sys; from mixup_jax import losses, metrics, sharding, transforms; "
    f"found = [m for m in {heavy} if m in sys.modules]; assert not found, found"
  )
  subprocess.run([sys.executable, "-c", code], check=True)


def test_sections_are_imported_without_what_a_run_alone_needs(root):
  """`--help`, and an error in a flag, take little longer than jax and flax."""
  names = [
    f"experiments.{path.stem}"
    for path in (root / "experiments").glob("*.py")
    if path.stem != "__init__"
  ]
  assert len(names) == 11
  slow = (
    "google.cloud.storage",
    "matplotlib",
    "orbax.checkpoint",
    "scipy.special",
    "sklearn",
    "tensorboardX",
    "tensorflow_datasets",
    "tensorstore",
  )
  code = (
    f"import sys, {', '.join(names)}; "
    f"found = [m for m in {slow} if m in sys.modules]; assert not found, found"
  )
  subprocess.run([sys.executable, "-c", code], check=True, cwd=root)
