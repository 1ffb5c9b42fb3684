"""Proves what is chosen for a platform."""

import jax
import jax.numpy as jnp
import pytest

from mixup_jax.train import backend as platforms


@pytest.fixture
def backend(monkeypatch):
  return lambda name: monkeypatch.setattr(jax, "default_backend", lambda: name)


@pytest.mark.parametrize(
  "name, dtype, steps",
  [
    ("cpu", jnp.float32, 1),
    ("gpu", jnp.bfloat16, 100),
    ("tpu", jnp.bfloat16, 100),
  ],
)
def test_each_platform_has_its_defaults(backend, name, dtype, steps):
  backend(name)
  assert platforms.compute_dtype("auto") == dtype
  assert platforms.compute_dtype("float32") == jnp.float32
  assert platforms.compute_dtype("bfloat16") == jnp.bfloat16
  assert platforms.steps_per_dispatch(0) == steps
  assert platforms.steps_per_dispatch(7) == 7


def test_what_is_not_known_is_refused():
  with pytest.raises(ValueError, match="unknown precision 'fp16': choose auto"):
    platforms.compute_dtype("fp16")
  with pytest.raises(ValueError, match="at least 0, got -1: 0 is what suits"):
    platforms.steps_per_dispatch(-1)


@pytest.mark.parametrize("use", ("run often", "run once"))
def test_options_are_only_those_that_the_compiler_takes(monkeypatch, use):
  platforms._known_options.cache_clear()
  options = platforms.compiler_options(use)
  assert jax.jit(lambda: 1, compiler_options=options)() == 1
  platforms._known_options.cache_clear()
  monkeypatch.setattr(
    platforms, "_CPU_OPTIONS", {use: {"xla_no_such_option": "1"}}
  )
  assert platforms.compiler_options(use) is None
  platforms._known_options.cache_clear()
  monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
  assert platforms.compiler_options(use) is None
  platforms._known_options.cache_clear()


def test_a_platform_can_be_pretended():
  assert platforms.on_cpu()
  with platforms.pretended("tpu"):
    assert not platforms.on_cpu()
    assert platforms.compute_dtype("auto") == jnp.bfloat16
    assert platforms.compiler_options("run often") is None
    with platforms.pretended("cpu"):
      assert platforms.on_cpu()
  assert platforms.on_cpu()
