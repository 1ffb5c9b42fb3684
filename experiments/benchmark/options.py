"""The command line of the benchmark: parts, and the options of each."""

import argparse
from typing import Sequence

from experiments.benchmark import timing


def parse(argv: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
  """Returns the arguments of the command line, its counts at least 1.

  The list is of those that `compare` passes on.
  """
  parser = _parser()
  arguments, more = parser.parse_known_args(argv)
  if more and arguments.part != "compare":
    parser.error(f"unrecognized arguments: {' '.join(more)}")
  for name, value in vars(arguments).items():
    if type(value) is int and value < 1:  # A bool is an int as well.
      parser.error(f"--{name} must be at least 1, got {value}.")
  return arguments, more


def _parser() -> argparse.ArgumentParser:
  """Returns a parser with a subparser for each part."""
  parser = argparse.ArgumentParser(
    prog="python -m experiments.benchmark", description="Speed, side by side."
  )
  kept = argparse.ArgumentParser(add_help=False)
  kept.add_argument("--rounds", type=int, default=1)
  kept.add_argument("--workdir", help="where to write result.json")
  result = argparse.ArgumentParser(add_help=False, parents=[kept])
  result.add_argument("--clock", choices=timing.CLOCKS, default="wall")
  parts = parser.add_subparsers(dest="part", required=True)
  part = parts.add_parser(
    "transforms", help="mixing and lambdas", parents=[result]
  )
  part.add_argument("--turns", type=int, default=30)
  part.add_argument(
    "--official_only",
    action="store_true",
    help="leave out all but the algorithm of the released code",
  )
  part = parts.add_parser(
    "losses", help="of mixed labels, beside PyTorch", parents=[result]
  )
  part.add_argument("--turns", type=int, default=30)
  part = parts.add_parser(
    "every_transform",
    help="each beside its floor, and other libraries",
    parents=[result],
  )
  part.add_argument("--turns", type=int, default=15)
  part = parts.add_parser("tabular", help="all seeds against a PyTorch loop")
  part.add_argument("--dataset", default="iris")
  part.add_argument("--data_dir")
  part.add_argument("--seeds", type=int, default=50)
  part = parts.add_parser(
    "step", help="training steps of PreAct-ResNet-18", parents=[result]
  )
  part.add_argument("--turns", type=int, default=5)
  part.add_argument("--width", type=int, default=64)
  part.add_argument("--batch_size", type=int, default=128)
  part = parts.add_parser("gan", help="iterations of a GAN, all seeds at once")
  part.add_argument("--turns", type=int, default=9)
  part.add_argument("--width", type=int, default=512)
  part.add_argument("--seeds", type=int, default=1)
  part = parts.add_parser(
    "input", help="images read, decoded and cropped", parents=[result]
  )
  part.add_argument("--turns", type=int, default=7)
  part.add_argument("--data_dir")
  part = parts.add_parser(
    "speech", help="spectrograms, beside scipy", parents=[result]
  )
  part.add_argument("--turns", type=int, default=15)
  parts.add_parser("scale", help="how time and memory grow", parents=[kept])
  parts.add_parser(
    "startup", help="whole commands, from start to end", parents=[kept]
  )
  part = parts.add_parser("compare", help="a part, beside another commit")
  part.add_argument("base", metavar="BASE", help="a commit, or a directory")
  part.add_argument("--part", dest="of", metavar="PART", default="transforms")
  part.add_argument("--rounds", type=int, default=6)
  part.add_argument("--threshold", type=float, default=10.0, metavar="PERCENT")
  return parser
