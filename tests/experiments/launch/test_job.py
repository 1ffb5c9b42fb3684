"""Tests of jobs."""

import pytest

from experiments.launch import slices
from experiments.launch.job import Job


def job(devices, count=1, **options):
  return Job(
    name="mixup",
    section="cifar",
    flags=("--config.seeds=2",),
    slice=slices.parse(devices),
    slices=count,
    workdir="gs://BUCKET/a",
    compile_cache="",
    grace=300,
    made_by="",
    options=options,
  )


def test_command_expects_the_devices_of_all_slices():
  assert job("v5e:4x4", 2).command == [
    "-m",
    "experiments.cifar",
    "--config.seeds=2",
    "--workdir=gs://BUCKET/a",
    "--distributed",
    "--expect_devices=32",
  ]


@pytest.mark.parametrize(
  "made, processes",
  [
    (job("v5e:2x2"), 1),
    (job("v5e:2x2", 2), 2),
    (job("v5e:4x4"), 4),
    (job("gpu:1x8", processes_per_host="1"), 1),
    (job("gpu:1x8", processes_per_host="8"), 8),
    (job("gpu:2x8", processes_per_host="8"), 16),
  ],
)
def test_command_is_distributed_for_several_processes(made, processes):
  assert made.processes == processes
  assert ("--distributed" in made.command) == (processes > 1)
