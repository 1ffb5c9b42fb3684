"""Proves the command line of the benchmark."""

import subprocess
import sys
import textwrap


def test_without_pytorch_the_extra_is_named():
  code = textwrap.dedent("""
      import sys

      class NoTorch:
        def find_spec(self, name, *_):
          if name == "torch":
            raise ImportError(name)

      sys.meta_path.insert(0, NoTorch())
      from experiments.benchmark import __main__
      __main__.main(["transforms"])
  """)
  done = subprocess.run(
    [sys.executable, "-c", code], capture_output=True, text=True, check=False
  )
  assert done.returncode == 1
  assert "pip install -e '.[benchmark]'" in done.stderr
  assert "Traceback" not in done.stderr
