"""Tests of the comparison of two trees, by trees that measure nothing."""

import subprocess
import textwrap

import pytest

from experiments.benchmark import compare

# A benchmark that appends its tree to a log, and writes what it was told.
FAKE = textwrap.dedent("""\
    import json, pathlib, sys
    from experiments import speed

    *command, workdir = sys.argv[1:]
    if command != ["speech", "--turns=1"]:
      sys.exit(f"usage\\nerror: no such part: {command}")
    with open(speed.LOG, "a") as log:
      log.write(speed.NAME)
    rows = [
      {"setting": "case", "key": key, "metric": metric, "value": value}
      for key, metric, value in (
        ("ours", "ms, wall time, median", speed.MS),
        ("ours", "ms, processor time, median", 5.0),
        ("other", "ms, wall time, median", 7.0),
        ("other", "ours over theirs", 0.5),
      )
    ]
    path = pathlib.Path(workdir.removeprefix("--workdir="), "result.json")
    path.write_text(json.dumps({"rows": rows}))
""")


def write_speed(tree, name, ms):
  text = f"NAME, MS, LOG = {name!r}, {ms}, {str(tree / 'log')!r}\n"
  (tree / "experiments" / "speed.py").write_text(text, "utf-8")


def git(tree, *words):
  own = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
  subprocess.run(["git", "-C", str(tree), *own, *words], check=True)


@pytest.fixture(name="tree")
def make_tree(tmp_path, monkeypatch):
  """A repository whose only commit takes 2 ms; it is this tree."""
  package = tmp_path / "experiments" / "benchmark"
  package.mkdir(parents=True)
  for directory in (package.parent, package):
    (directory / "__init__.py").touch()
  (package / "__main__.py").write_text(FAKE, "utf-8")
  write_speed(tmp_path, "b", 2.0)
  git(tmp_path, "init", "--quiet")
  git(tmp_path, "add", "experiments")
  git(tmp_path, "commit", "--quiet", "--message=base")
  monkeypatch.setattr(compare, "ROOT", tmp_path)
  return tmp_path


def run(base, *, part="speech", rounds=2):
  return compare.main(base, [part, "--turns=1"], rounds=rounds, threshold=10.0)


def test_main_finds_that_this_tree_is_slower_than_its_commit(tree, capsys):
  write_speed(tree, "n", 3.0)  # Not committed.
  assert run("HEAD", rounds=3) == 1
  out = capsys.readouterr().out
  assert "base: HEAD (" in out
  assert "+, with changes that are not committed)" in out
  line = out.split("\n\n")[1].splitlines()[-1]
  assert line.split()[:4] == ["case", "2.000", "3.000", "1.500"]
  assert line.split()[-1] == "slower"
  assert out.endswith("slower by more than 10 %: case\n")
  assert (tree / "log").read_text() == "bnnbbn"  # Rounds begin alternately.


def test_main_accepts_a_directory_as_fast(tree, tmp_path_factory, capsys):
  base = tmp_path_factory.mktemp("base")
  (base / "experiments").symlink_to(tree / "experiments")
  assert run(str(base)) == 0
  out = capsys.readouterr().out
  assert f"base: the directory {base}" in out
  assert "1.000 ± 0.000" in out and "slower" not in out
  assert "not committed" not in out


def test_main_refuses_what_is_no_tree(tree):
  with pytest.raises(ValueError, match="'v9' is neither a commit"):
    run("v9")
  with pytest.raises(ValueError, match=f"'{tree}/experiments' is neither"):
    run(f"{tree}/experiments")


def test_main_names_the_tree_that_fails_and_why(tree):
  with pytest.raises(
    ValueError, match=r"base cannot run 'gan --turns=1': error: no such part"
  ):
    run("HEAD", part="gan")


def test_table_names_a_case_of_one_tree():
  base, new = {"a": [1.0, 1.0], "b": [1.0] * 2}, {"c": [1.0], "a": [1.0, 1.0]}
  text, slower = compare.table(base, new, 10)
  ends = {x.split()[0]: x.split()[-3:] for x in text.splitlines()[2:]}
  assert ends["b"] == ["in", "base", "alone"]
  assert ends["c"] == ["in", "new", "alone"]
  assert not slower
  with pytest.raises(ValueError, match="base has a, b; new has d"):
    compare.table(base, {"d": [1.0]}, 10)


@pytest.mark.parametrize(
  "new, word",
  [
    ([1.2, 1.21, 1.19], "slower"),
    ([1.05, 1.06, 1.04], ""),  # By less than the threshold.
    ([1.0, 1.0, 1.9], ""),  # Within the spread.
    ([0.8, 0.81, 0.79], "faster"),
  ],
)
def test_table_needs_the_threshold_and_the_interval(new, word):
  text, slower = compare.table({"a": [1.0] * 3}, {"a": new}, 10)
  assert slower == (["a"] if word == "slower" else [])
  assert ("slower" in text, "faster" in text) == (
    (word == "slower"),
    (word == "faster"),
  )
