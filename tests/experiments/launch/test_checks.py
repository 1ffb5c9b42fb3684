"""Tests of what is refused of a command line."""

import pytest

from experiments.launch import __main__ as launch
from experiments.launch import checks

JOBSET = {
  "kind": "jobset",
  "section": "imagenet",
  "slice": "v5e:4x4",
  "workdir": "gs://BUCKET/a",
  "image": "HOST/mixup:1",
}
SLURM = {**JOBSET, "kind": "slurm", "slice": "gpu:4x4", "image": None}


@pytest.fixture
def refused(capsys, tmp_path, monkeypatch):
  """Returns the only line on stderr of a command that has to fail."""
  monkeypatch.chdir(tmp_path)

  def run(*words, **changed):
    given = {**JOBSET, **changed}
    flags = [f"--{k}={v}" for k, v in given.items() if v is not None]
    with pytest.raises(SystemExit) as raised:
      launch.main([*flags, *words])
    assert raised.value.code == 2 and not list(tmp_path.iterdir())
    (line,) = capsys.readouterr().err.splitlines()
    return line

  return run


@pytest.mark.parametrize(
  "changed, words",
  [
    ({"kind": "kubernetes"}, ("--kind", "'kubernetes'", "jobset")),
    ({"kind": None}, ("--kind", "--help")),
    ({"section": "imagnet"}, ("--section=imagnet", "imagenet, in_between")),
    ({"slice": "v5e:3x3"}, ("--slice=v5e:3x3", "4x4")),
    ({"slice": "gpu:4x4"}, ("--slice=gpu:4x4", "jobset", "v5e:16x16")),
    ({"slices": "0"}, ("--slices=0",)),
    ({"slices": "two"}, ("--slices", "'two'")),
    ({"grace": "0"}, ("--grace=0", "at least 1")),
    ({"image": None}, ("--image is missing", "jobset")),
    ({"image": ""}, ("--image is missing", "jobset")),
    ({"zone": "us-west4-a"}, ("--zone=us-west4-a", "tpu_vm", "leave it out")),
    ({"workdir": "RUN"}, ("--workdir=RUN", "gs://BUCKET/PATH")),
    ({"workdir": "gs:///a"}, ("--workdir=gs:///a", "gs://BUCKET/PATH")),
    ({"workdir": "/runs/a"}, ("--workdir=/runs/a", "share no disk", "gs://")),
    ({"workdir": "gs://a/b\nc"}, ("--workdir=", "\\n", "line break")),
    ({**SLURM, "time": "1;rm"}, ("--time=1;rm", "24:00:00")),
    (
      {"kind": "skypilot", "image": None, "exclude_newer": "today"},
      ("--exclude_newer=today", "2026-11-26"),
    ),
    ({"compile_cache": "/tmp/a"}, ("--compile_cache=/tmp/a", "gs://")),
    ({"name": "Mixup"}, ("--name=Mixup", "lower case")),
    ({"name": "m" * 41}, ("--name=mmm", "at most 40")),
    (
      {**SLURM, "slices": "2"},
      ("--slices=2", "slurm starts one slice", "jobset"),
    ),
    ({**SLURM, "slice": "v5e:4x4"}, ("--slice=v5e:4x4", "gpu:HOSTSxGPUS")),
    (
      {**SLURM, "processes_per_host": "3"},
      ("--processes_per_host=3", "1, 2, 4"),
    ),
    ({"kind": "tpu_vm", "image": None, "tpu": "a"}, ("--zone is missing",)),
  ],
)
def test_main_refuses_options_in_one_line(refused, changed, words):
  line = refused(**changed)
  assert line.startswith("error: ")
  for word in words:
    assert word in line


@pytest.mark.parametrize(
  "argv, words",
  [
    (["--confg=x"], ("--confg=x", "no such flag")),
    (["RUN"], ("RUN", "no such flag")),
    (["--config.epoch=3"], ("--config.epoch", "did you mean --config.epochs")),
    (["--config.epochs=many"], ("epochs", "many")),
    (["--config.epochs=0"], ("config.epochs", "at least 1")),
    (["--config=/tmp/a.py"], ("--config=/tmp/a.py", "into its configs/")),
    (["--config=configs/imagenet.py:epoch=3"], ("'epoch'", "epochs")),
    (["--config.data_dir=/data"], ("--config.data_dir=/data", "gs://")),
    (["--config.dataset=imagenette"], ("data_dir is missing", "imagenette")),
    (["--config.data_dir=data"], ("--config.data_dir=data", "gs://")),
    (["--sweep", "alpha=-1"], ("config.mix.alpha", "at least 0", "-1")),
    (["--sweep", "data_dir=/a"], ("--config.data_dir=/a",)),
    (["--sweep", "alpha=0.1", "seeds=x"], ("--sweep seeds=x",)),
  ],
)
def test_main_refuses_what_the_section_would(refused, argv, words):
  line = refused(*argv)
  assert line.startswith("error: ")
  for word in words:
    assert word in line


def test_data_are_at_their_default_under_slurm():
  checks.data("slurm", {"data_dir": "", "dataset": "imagenette"})


@pytest.mark.parametrize(
  "config",
  [{"data_dir": "", "datasets": ("iris",)}, {"datasets": ("grid", "ring")}],
)
def test_data_may_need_no_files(config):
  checks.data("jobset", config)


@pytest.mark.parametrize(
  "kind, path",
  [("slurm", "/scratch/a"), ("tpu_vm", "/runs/a"), ("jobset", "gs://BUCKET")],
)
def test_place_takes_what_all_hosts_see(kind, path):
  checks.place(kind, "--workdir", path)


def test_name_is_one_of_kubernetes():
  assert checks.name("mixup", "alpha_0.1-seed_2") == "mixup-alpha-0-1-seed-2"
  assert checks.name("mixup", "") == "mixup"
