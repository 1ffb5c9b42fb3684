"""Tests of the jobs of a command line."""

import pytest

from experiments.launch import __main__ as launch
from experiments.launch import jobs

COMMAND = [
  *("--kind=jobset", "--section=imagenet", "--slice=v5e:4x4", "--image=i:1"),
  "--workdir=gs://BUCKET/a/",
]


@pytest.fixture
def make():
  def of(*words):
    return jobs.make(*launch._parse([*COMMAND, *words]))

  return of


def test_make_returns_one_job_without_a_sweep(make):
  ((cell, job),) = make("--config.epochs=3")
  assert (cell, job.name, job.workdir) == ("", "mixup", "gs://BUCKET/a")
  assert job.flags == ("--config.epochs=3",)
  assert job.compile_cache == "gs://BUCKET/a/compile_cache"


def test_make_gives_each_cell_a_name_and_a_working_directory(make):
  made = make("--config.epochs=3", "--sweep", "alpha=0.1,0.2", "seeds=2")
  assert [cell for cell, _ in made] == [
    *("alpha_0.1-seed_0", "alpha_0.1-seed_1"),
    *("alpha_0.2-seed_0", "alpha_0.2-seed_1"),
  ]
  _, last = made[-1]
  assert last.name == "mixup-alpha-0-2-seed-1"
  assert last.workdir == "gs://BUCKET/a/alpha_0.2-seed_1"
  assert last.flags[0] == "--config.epochs=3"
  assert last.flags[1:] == (
    *("--config.mix.alpha=0.2", "--config.seeds=1", "--config.first_seed=1"),
  )
  # Alpha is traced, so that the cells share what is compiled.
  assert {job.compile_cache for _, job in made} == {made[0][1].compile_cache}
