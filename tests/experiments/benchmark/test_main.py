"""Tests of the command line of the benchmark."""

import json
import subprocess
import sys
import textwrap

import pytest

from experiments.benchmark import __main__ as benchmark
from experiments.report import tables


def test_main_without_pytorch_names_the_extra():
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


def test_main_writes_a_result(tmp_path, capsys):
  benchmark.main(["speech", "--turns=1", "--rounds=2", f"--workdir={tmp_path}"])
  path = tmp_path / "result.json"
  assert str(path) in capsys.readouterr().out
  result = json.loads(path.read_text("utf-8"))
  assert result["config"] == {
    "part": "speech",
    "clock": "wall",
    "turns": 1,
    "rounds": 2,
  }
  assert {"commit", "load"} <= set(result["environment"])
  table = tables.table(result)
  assert "| ms, wall time, median | ours | scipy, clip by clip |" in table
  assert "n = 2" in table


def test_main_refuses_the_directory_of_another_run(tmp_path, capsys):
  (tmp_path / "config.json").write_text('{"seeds": 1}', "utf-8")
  with pytest.raises(SystemExit) as caught:
    benchmark.main(["speech", f"--workdir={tmp_path}"])
  assert caught.value.code == 2
  assert "another config" in capsys.readouterr().err


@pytest.mark.parametrize(
  "arguments, message",
  [
    (["speech", "--rounds=0"], "--rounds must be at least 1, got 0"),
    (["speech", "--round=1", "--turn=1", "--x"], "unrecognized arguments: --x"),
    (["compare", "HEAD", "--rounds=1"], "--rounds must be at least 2"),
    (["compare", "HEAD", "--threshold=-1"], "--threshold must be at least 0"),
    (["compare", "nowhere"], "'nowhere' is neither a commit"),
  ],
)
def test_main_refuses_bad_input_with_status_2(arguments, message, capsys):
  with pytest.raises(SystemExit) as caught:
    benchmark.main(arguments)
  assert caught.value.code == 2
  assert message in capsys.readouterr().err


def test_main_passes_the_options_of_a_part_to_compare(monkeypatch):
  called = []

  def fake(*arguments, **options):
    called.append((arguments, options))
    return 1

  monkeypatch.setattr(benchmark.compare, "main", fake)
  with pytest.raises(SystemExit) as caught:
    benchmark.main(["compare", "main", "--part=speech", "--turns=3"])
  assert caught.value.code == 1  # A case is slower.
  assert called == [
    (("main", ["speech", "--turns=3"]), {"rounds": 6, "threshold": 10.0})
  ]
