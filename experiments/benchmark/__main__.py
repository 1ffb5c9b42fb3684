"""Speed, side by side in one run: ours, and what you would write instead.

    pip install -e '.[benchmark]'
    python -m experiments.benchmark transforms
    python -m experiments.benchmark tabular --dataset=phishing_websites
    python -m experiments.benchmark step --width=64
    python -m experiments.benchmark gan --seeds=20
    python -m experiments.benchmark input
    python -m experiments.benchmark speech

PyTorch is the other side of the first four: its mixing is the algorithm of the
released code (a lambda of numpy, a random permutation, two products and a sum),
its training a plain loop over seeds. Each pair takes turns, and a ratio is the
median of the ratios of turns that follow each other, so that a busy machine
slows both.
"""

import argparse
import os
import sys
from typing import Sequence

import jax

from experiments.benchmark import decoding
from experiments.benchmark import gan
from experiments.benchmark import speech
from experiments.benchmark import step
from experiments.benchmark import tabular
from experiments.benchmark import transforms
from mixup_jax.results.recorder import environment


def main(argv: Sequence[str] | None = None) -> None:
  """Prints a table of the part that the command line names."""
  parser = argparse.ArgumentParser(
    prog="python -m experiments.benchmark", description="Speed, side by side."
  )
  parts = parser.add_subparsers(dest="part", required=True)
  part = parts.add_parser("transforms", help="mixing, lambdas and losses")
  part.add_argument("--turns", type=int, default=30)
  part = parts.add_parser("tabular", help="all seeds against a PyTorch loop")
  part.add_argument("--dataset", default="iris")
  part.add_argument("--data_dir")
  part.add_argument("--seeds", type=int, default=50)
  part = parts.add_parser("step", help="training steps of PreAct-ResNet-18")
  part.add_argument("--turns", type=int, default=5)
  part.add_argument("--width", type=int, default=64)
  part.add_argument("--batch_size", type=int, default=128)
  part = parts.add_parser("gan", help="iterations of a GAN, all seeds at once")
  part.add_argument("--turns", type=int, default=9)
  part.add_argument("--width", type=int, default=512)
  part.add_argument("--seeds", type=int, default=1)
  part = parts.add_parser("input", help="images read, decoded and cropped")
  part.add_argument("--turns", type=int, default=7)
  part.add_argument("--data_dir")
  part = parts.add_parser("speech", help="spectrograms, beside scipy")
  part.add_argument("--turns", type=int, default=15)
  arguments = parser.parse_args(argv)
  for name, value in vars(arguments).items():
    if isinstance(value, int) and value < 1:
      sys.exit(f"error: --{name} must be at least 1, got {value}.")
  if arguments.part in ("input", "speech"):  # PyTorch has no side in these.
    print(", ".join(f"{k} {v}" for k, v in environment().items()), end="\n\n")
    if arguments.part == "input":
      print(decoding.table(arguments.turns, arguments.data_dir))
    else:
      print(speech.table(arguments.turns))
    return
  try:
    import torch  # Only the benchmark extra brings it.
  except ImportError:
    sys.exit(
      "error: the benchmark compares with PyTorch, which is not "
      "installed: pip install -e '.[benchmark]'"
    )
  if arguments.part == "tabular":
    jax.config.update("jax_num_cpu_devices", os.cpu_count())
    try:
      problem = tabular.load_problem(
        arguments.dataset, arguments.data_dir, arguments.seeds
      )
    except (ValueError, FileNotFoundError) as error:
      sys.exit(f"error: {error}")
  print(
    ", ".join(f"{k} {v}" for k, v in environment().items()),
    f"torch {torch.__version__}, {torch.get_num_threads()} threads\n",
    sep=", ",
  )
  if arguments.part == "transforms":
    print(transforms.table(torch, arguments.turns))
  elif arguments.part == "step":
    print(
      step.table(
        torch,
        width=arguments.width,
        batch_size=arguments.batch_size,
        turns=arguments.turns,
      )
    )
  elif arguments.part == "gan":
    config = gan.paper_config(arguments.width)
    print(
      gan.table(torch, config, seeds=arguments.seeds, turns=arguments.turns)
    )
  else:
    print(tabular.table(torch, problem))


if __name__ == "__main__":
  main()
