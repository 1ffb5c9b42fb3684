"""Outputs of the networks in PyTorch, for machines without PyTorch.

    python -m tests.models.torch_vectors

writes them anew to torch_vectors.json. Parameters and images are functions of
their names, so that only outputs are stored.
"""

import json
import math
import pathlib
from typing import Any
import zlib

from flax import traverse_util
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from experiments.benchmark import torch_networks

PATH = pathlib.Path(__file__).with_suffix(".json")
IMAGES = (8, 16, 16, 3)
PREACT = dict(num_classes=5, width=4)
WIDE = dict(num_classes=5, depth=16, width=1)
CASES = {
  "author": (torch_networks.preact_resnet, PREACT),
  "official": (torch_networks.preact_resnet, PREACT | {"variant": "official"}),
  "modern": (torch_networks.preact_resnet, PREACT | {"variant": "modern"}),
  "wide": (torch_networks.wide_resnet, WIDE),
}


def numbers(name: str, shape: tuple[int, ...]) -> np.ndarray:
  """Returns float32 numbers in [-1, 1] that only name and place decide."""
  seed = zlib.crc32(name.encode())
  # This old generator is the one whose stream NumPy has frozen.
  return np.random.RandomState(seed).uniform(-1, 1, shape).astype(np.float32)


def parameter(name: str, shape: tuple[int, ...]) -> np.ndarray:
  """Returns the values of one parameter, in the layout of flax.

  Args:
    name: Its path, such as "stage1_block1/conv1/kernel".
    shape: `[..., inputs, outputs]` of a kernel, `[channels]` of others.
  """
  values = numbers(name, shape)
  if name.endswith("kernel"):
    return values * np.float32(math.sqrt(6 / math.prod(shape[:-1])))
  return values * np.float32(0.5) + np.float32(name.endswith("scale"))


def variables(model: nn.Module, x: jax.Array) -> dict[str, Any]:
  """Returns such parameters of a model of ours, and statistics of 0 and 1.

  They take no time, where `init` compiles for seconds.
  """
  shapes = jax.eval_shape(model.init, jax.random.key(0), x)
  filled = {}
  for path, leaf in traverse_util.flatten_dict(shapes, sep="/").items():
    if path.startswith("params/"):
      filled[path] = jnp.asarray(
        parameter(path.removeprefix("params/"), leaf.shape)
      )
    else:
      filled[path] = jnp.full(leaf.shape, float(path.endswith("var")))
  return traverse_util.unflatten_dict(filled, sep="/")


def images() -> np.ndarray:
  """Returns `[batch, height, width, channels]` images."""
  return numbers("images", IMAGES)


def compute(torch: Any, case: str) -> dict[str, list[list[float]]]:
  """Runs a network in PyTorch in training and then in evaluation.

  The running variance of PyTorch moves towards the unbiased variance of the
  batch, n / (n - 1) times the biased one, flax's towards the biased one: it is
  converted in between.

  Returns:
    `[batch, classes]` logits, of the call that moves the running statistics
    from their start ("train"), and of one that uses them ("eval").
  """
  make, sizes = CASES[case]
  network = make(torch, **sizes)
  norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
  for norm in norms:
    norm.register_forward_pre_hook(_note_count)
  x = torch.from_numpy(images().transpose(0, 3, 1, 2).copy())
  with torch.no_grad():
    for name, weights in network.named_parameters():
      weights.copy_(torch.from_numpy(_torch_parameter(name, weights.shape)))
    train = network.train()(x)
    for norm in norms:
      # A first call leaves 0.9 * 1 + 0.1 * variance.
      batch_part = norm.running_var - 0.9
      norm.running_var.copy_(0.9 + batch_part * (norm.count - 1) / norm.count)
    evaluated = network.eval()(x)
  logits = {"train": train, "eval": evaluated}
  return {k: v.double().numpy().round(7).tolist() for k, v in logits.items()}


def _note_count(norm: Any, inputs: Any) -> None:
  """Notes how many values a channel has in a batch."""
  norm.count = inputs[0].numel() // inputs[0].shape[1]


def _torch_parameter(name: str, shape: tuple[int, ...]) -> np.ndarray:
  """Returns the values of one parameter, by the name and layout of PyTorch."""
  kernel = len(shape) > 1
  name = name.replace(".", "/")
  name = name.replace("weight", "kernel" if kernel else "scale")
  # There a kernel is [outputs, inputs, ...].
  values = parameter(name, (*shape[2:], *shape[1::-1]) if kernel else shape)
  return np.moveaxis(values, (-1, -2), (0, 1)) if kernel else values


def main() -> None:
  """Writes what `compute` returns for each case."""
  import torch  # Only this script and the benchmark need it.

  vectors = {case: compute(torch, case) for case in CASES}
  rows = json.dumps(vectors).replace("], [", "],\n[").replace("{", "{\n")
  PATH.write_text(rows + "\n")


if __name__ == "__main__":
  main()
