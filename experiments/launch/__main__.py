"""Writes what starts a run on a cluster, and starts it again.

    python -m experiments.launch --kind=jobset --section=imagenet \
        --config=configs/imagenet.py:dataset=imagenet2012,model=resnet50 \
        --config.data_dir=gs://BUCKET/data --workdir=gs://BUCKET/resnet50 \
        --slice=v5e:16x16 --image=HOST/PROJECT/REPOSITORY/mixup:1 \
        --sweep alpha=0.1,0.2,0.4 seeds=3

Other flags `--config...` are those of the section, and are checked. With
`--sweep`, each cell has a file and a working directory of its own, below
`--workdir`.
"""

import argparse
import pathlib
import re
import shlex
import sys
from typing import NoReturn, Sequence

from experiments.launch import jobs
from experiments.launch import kinds
from mixup_jax.runtime import one_line


class _Parser(argparse.ArgumentParser):
  """Reports an error in one line, as all of this package does."""

  def error(self, message: str) -> NoReturn:
    raise ValueError(f"{message}; see --help.")


def main(argv: Sequence[str] | None = None) -> None:
  """Writes a launch file, or one for each cell of a sweep."""
  with one_line.bad_input():
    given, flags = _parse(sys.argv[1:] if argv is None else argv)
    out = pathlib.Path(given.out or given.kind + kinds.KINDS[given.kind].suffix)
    files = {}
    for cell, job in jobs.make(given, flags):
      path = out.with_stem(f"{out.stem}-{cell}") if cell else out
      files[path] = kinds.render(given.kind, job)
    for path, text in files.items():
      path.parent.mkdir(parents=True, exist_ok=True)
      path.write_text(text, encoding="utf-8")
  start = kinds.KINDS[given.kind].start
  for path in files:
    print(start.replace("FILE", shlex.quote(str(path))))


def _parse(argv: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
  """Returns the options, and the flags of the section."""
  for word in argv:
    if not word.isprintable():
      raise ValueError(f"{word!r}: leave out the line break.")
  parser = _Parser(
    prog="python -m experiments.launch",
    description=__doc__.split("\n")[0],
    allow_abbrev=False,
  )
  add = parser.add_argument
  add("--kind", required=True, choices=kinds.KINDS)
  add("--section", required=True, help="such as imagenet")
  add("--slice", required=True, help="v5e:16x16, or gpu:4x8: 4 hosts of 8 GPUs")
  add("--slices", type=int, default=1, help="of a JobSet: how many")
  add("--workdir", required=True, help="gs://BUCKET/PATH, or on a shared disk")
  add("--name", default="mixup", help="of the job")
  add("--compile_cache", help="by default WORKDIR/compile_cache")
  add("--grace", type=int, default=300, help="seconds to save, after SIGTERM")
  add("--sweep", nargs="+", default=[], metavar="FIELD=VALUE,VALUE")
  add("--out", help="the file; by default the kind, in this directory")
  add("--image", help="jobset: of experiments/launch/Dockerfile")
  add("--queue", help="jobset: the local queue of Kueue")
  add("--service_account", help="jobset: that may use the bucket")
  add("--infra", help="skypilot: where to look, such as gcp/us-west4")
  add("--time", help="slurm: the limit, such as 24:00:00")
  add("--processes_per_host", help="slurm: which share out its GPUs; 1")
  add("--tpu", help="tpu_vm: the name of the slice")
  add("--zone", help="tpu_vm: its zone, such as us-west4-a")
  add(
    "--exclude_newer",
    help="skypilot, tpu_vm: the date of all packages; by default today",
  )
  given, rest = parser.parse_known_args(argv)
  for word in rest:
    if not re.match("--config[.=]", word):
      raise ValueError(
        f"{word}: there is no such flag: see --help, and write fields of the "
        "config as --config.FIELD=VALUE."
      )
  return given, rest


if __name__ == "__main__":
  main()
