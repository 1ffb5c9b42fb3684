"""Tests of the command that writes launch files."""

import pathlib
import shlex

import pytest
import yaml

from experiments.launch import __main__ as launch

LAUNCH = pathlib.Path(__file__).parents[3] / "experiments" / "launch"
COMMAND = [
  *("--kind=jobset", "--section=imagenet", "--slice=v5e:4x4", "--image=i:1"),
  "--workdir=gs://BUCKET/a",
]


@pytest.mark.parametrize(
  "name", ["jobset.yaml", "skypilot.yaml", "slurm.sh", "tpu_vm.sh"]
)
def test_files_of_the_repository_are_made_by_the_command_in_them(
  name, tmp_path, monkeypatch
):
  text = (LAUNCH / name).read_text()
  lines = text[text.index("python -m") :].splitlines()
  last = next(i for i, line in enumerate(lines) if not line.endswith("\\"))
  words = shlex.split("".join(x.strip(" #\\") + " " for x in lines[: last + 1]))
  assert words[:3] == ["python", "-m", "experiments.launch"]
  monkeypatch.chdir(tmp_path)
  launch.main(words[3:])
  assert (tmp_path / "experiments" / "launch" / name).read_text() == text


def test_main_writes_a_file_for_each_cell_and_prints_how_to_start_it(
  tmp_path, monkeypatch, capsys
):
  monkeypatch.chdir(tmp_path)
  launch.main([*COMMAND, "--out=a b/x.yaml", "--sweep", "seeds=2"])
  assert capsys.readouterr().out.splitlines() == [
    "kubectl apply --filename='a b/x-seed_0.yaml'",
    "kubectl apply --filename='a b/x-seed_1.yaml'",
  ]
  names = set()
  for path in (tmp_path / "a b").iterdir():
    made = yaml.safe_load(path.read_text())
    names.add(made["metadata"]["name"])
  assert names == {"mixup-seed-0", "mixup-seed-1"}


def test_main_names_the_file_after_its_kind(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  launch.main(COMMAND)
  assert (tmp_path / "jobset.yaml").exists()


def test_readme_has_commands_that_run(tmp_path, monkeypatch):
  text = (LAUNCH / "README.md").read_text()
  lines = [x for x in text.splitlines() if "experiments.launch --" in x]
  assert len(lines) == 2
  monkeypatch.chdir(tmp_path)
  for line in lines:
    launch.main(shlex.split(line.replace("$BUCKET", "b"))[3:])
  assert len(list((tmp_path / "sweep").iterdir())) == 9
