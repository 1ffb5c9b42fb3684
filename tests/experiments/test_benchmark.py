"""Proves that the benchmark measures what it says; never how fast."""

import subprocess
import sys
import textwrap

import jax
import pytest

from experiments import benchmark


def test_a_case_is_measured_in_turns():
  calls = []
  case = benchmark.Case("sum", lambda: calls.append("a"), "other",
                        lambda: calls.append("b"), 1e9)
  line = benchmark.measure(case, turns=3)
  assert line[0] == "sum" and line[1] == "other" and line[-1] == "yes"
  assert float(line[2]) > 0 and float(line[3]) > 0
  assert calls[-12:] == ["a", "a", "b", "b"] * 3


def test_lambdas_are_compared_with_the_sampler_of_jax():
  case = benchmark.lambda_case()
  with jax.debug_key_reuse(False):  # A benchmark draws the same again.
    ours, other = case.ours(), case.other()
  assert ours.shape == other.shape == (1024,)


def test_without_pytorch_the_extra_is_named():
  code = textwrap.dedent("""
      import sys

      class NoTorch:
        def find_spec(self, name, *_):
          if name == "torch":
            raise ImportError(name)

      sys.meta_path.insert(0, NoTorch())
      from experiments import benchmark
      benchmark.main(["transforms"])
  """)
  done = subprocess.run([sys.executable, "-c", code],
                        capture_output=True,
                        text=True,
                        check=False)
  assert done.returncode == 1
  assert "pip install -e '.[benchmark]'" in done.stderr
  assert "Traceback" not in done.stderr


def test_both_sides_do_the_same_work():
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  x = torch.arange(12.0).reshape(4, 3)
  mixed, y, partner_y, lam = benchmark.torch_mixup(torch, x, torch.arange(4))
  assert torch.allclose(mixed, lam * x[y] + (1 - lam) * x[partner_y])
  for case in benchmark.loss_cases(torch)[:1]:
    assert abs(float(case.ours()[0]) - case.other()) < 1e-4


def test_both_sides_learn_the_same_table():
  torch = pytest.importorskip("torch", reason="needs the benchmark extra")
  arguments = type("Arguments", (), {
      "dataset": "iris",
      "data_dir": None,
      "seeds": 2
  })
  problem = benchmark.load_problem(arguments)
  assert benchmark.torch_run(torch, problem, 0, 0.0) < 40
