"""Tests of the defaults of each backend."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax.train import backend


@pytest.fixture
def set_backend(monkeypatch):
  return lambda name: monkeypatch.setattr(jax, "default_backend", lambda: name)


@pytest.mark.parametrize(
  "name, dtype, steps",
  [
    ("cpu", jnp.float32, 1),
    ("gpu", jnp.bfloat16, 100),
    ("tpu", jnp.bfloat16, 100),
  ],
)
def test_compute_dtype_and_steps_per_dispatch_have_defaults_per_backend(
  set_backend, name, dtype, steps
):
  set_backend(name)
  assert backend.compute_dtype("auto") == dtype
  assert backend.compute_dtype("float32") == jnp.float32
  assert backend.compute_dtype("bfloat16") == jnp.bfloat16
  assert backend.steps_per_dispatch(0) == steps
  assert backend.steps_per_dispatch(7) == 7


def test_compute_dtype_and_steps_per_dispatch_refuse_unknown_values():
  with pytest.raises(ValueError, match="unknown precision 'fp16': choose auto"):
    backend.compute_dtype("fp16")
  with pytest.raises(ValueError, match="at least 0, got -1: 0 is the default"):
    backend.steps_per_dispatch(-1)


@pytest.mark.parametrize("use", ("run often", "run once"))
def test_compiler_options_are_none_if_the_compiler_refuses_them(
  monkeypatch, use
):
  backend._known_options.cache_clear()
  options = backend.compiler_options(use)
  assert jax.jit(lambda: 1, compiler_options=options)() == 1
  backend._known_options.cache_clear()
  monkeypatch.setattr(
    backend, "_CPU_OPTIONS", {use: {"xla_no_such_option": "1"}}
  )
  assert backend.compiler_options(use) is None
  backend._known_options.cache_clear()
  monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
  assert backend.compiler_options(use) is None
  backend._known_options.cache_clear()


def test_compiler_options_leave_sums_over_a_batch_to_the_newer_library():
  x = np.random.default_rng(0).uniform(0, 1, (128, 16, 16, 8))
  x = x.astype(np.float32)
  options = backend.compiler_options("run often")
  lowered = jax.jit(
    lambda x: jnp.sum(x, axis=(0, 1, 2)), compiler_options=options
  ).lower(x)
  compiled = lowered.compile()
  assert "ynn_fusion" in compiled.as_text()
  np.testing.assert_allclose(
    compiled(x), x.sum((0, 1, 2), dtype=np.float64), rtol=1e-6
  )


def test_assumed_sets_the_platform_within_the_context():
  assert backend.on_cpu()
  with backend.assumed("tpu"):
    assert not backend.on_cpu()
    assert backend.compute_dtype("auto") == jnp.bfloat16
    assert backend.compiler_options("run often") is None
    with backend.assumed("cpu"):
      assert backend.on_cpu()
  assert backend.on_cpu()
