"""Training steps of PreAct-ResNet-18: ERM, mixup, and the same in PyTorch."""

import functools
import statistics
import time
from typing import Any

import jax
import numpy as np

from experiments.benchmark import official
from experiments.benchmark import timing
from experiments.benchmark import torch_networks
from mixup_jax import models
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.data import augment
from mixup_jax.data.in_memory import images
from mixup_jax.results import ERM
from mixup_jax.results import format_table
from mixup_jax.results import Method
from mixup_jax.train import backend
from mixup_jax.train import inputs
from mixup_jax.train import optim
from mixup_jax.train import peak
from mixup_jax.train.program import make_program

_PYTORCH = Method("pytorch", "PyTorch")
_SGD = {"momentum": 0.9, "weight_decay": 1e-4}


def table(
  torch: Any, *, width: int, batch_size: int, **options: Any
) -> tuple[str, list[timing.Measured]]:
  """Measures steps, and what surrounds them.

  Args:
    torch: The module.
    width: The channels of the first stage; the paper's network has 64.
    batch_size: Images in a batch; the paper's is 128.
    **options: Those of `timing.measure`.

  Returns:
    Two tables, comparisons and single figures; and the times of the former.
  """
  data = fake_set()
  erm, mixup = (Step(data, width, batch_size, alpha) for alpha in (0.0, 1.0))
  name = f"step of width {width}, batch {batch_size}"
  cases = [timing.Case(f"{name}, mixup beside ERM", mixup, ERM, erm, 1.02)]
  if backend.on_cpu():  # PyTorch is here on a CPU alone.
    plain, mixed = (
      TorchStep(torch, width, batch_size, alpha) for alpha in (0.0, 1.0)
    )
    goal = 1.25 if width == 64 else 1.05
    cases += [
      timing.Case(f"{name}, mixup", mixup, timing.OFFICIAL, mixed, goal),
      timing.Case(f"{name}, ERM", erm, _PYTORCH, plain, goal),
      augmentation_case(torch, data),
    ]
  measured = timing.measure(cases, **options)
  text = "\n\n".join(
    (
      f"PreAct-ResNet-18 of width {width}, batches of "
      f"{batch_size}, {erm.at_once} step(s) a dispatch",
      timing.table(measured),
      format_table(figures(mixup, data, batch_size)),
    )
  )
  return text, measured


class Step:
  """A compiled step of ours, or as many as suit the platform, a call."""

  def __init__(
    self, data: images.ImageSet, width: int, batch_size: int, alpha: float
  ):
    mesh = sharding.make_mesh(jax.devices()[:1])
    model = models.build(
      "preact_resnet18",
      num_classes=data.num_classes,
      width=width,
      dtype=backend.compute_dtype("auto"),
    )
    transform = functools.partial(transforms.mixup, alpha=alpha)
    self._program = make_program(
      model,
      optim.build("sgd", learning_rate=0.1, **_SGD),
      inputs.resident(data),
      mesh=mesh,
      transform=transform if alpha else None,
    )
    self.at_once = backend.steps_per_dispatch(0)
    rows = np.arange(batch_size, dtype=np.int32)
    if self.at_once > 1:
      rows = np.tile(rows, (self.at_once, 1))
    pixels, labels, rows, self._seed = sharding.put(
      (inputs.flat(data.train_images), data.train_labels, rows, np.uint32(0)),
      sharding.replicated(mesh),
    )
    self._batch = {"images": pixels, "labels": labels, "rows": rows}
    self.state = self._program.init(self._seed)
    start = time.perf_counter()
    lowered = self._program.step.lower(self._seed, self.state, self._batch)
    self.compiled = lowered.compile()
    self.compile_seconds = time.perf_counter() - start
    self.flops = peak.flops(lowered)

  def __call__(self) -> Any:
    self.state, metrics = self.compiled(self._seed, self.state, self._batch)
    return metrics


class TorchStep:
  """The same step in PyTorch, with the algorithm of the released code."""

  def __init__(self, torch: Any, width: int, batch_size: int, alpha: float):
    self._torch, self._alpha = torch, alpha
    self._network = torch_networks.preact_resnet(torch, width=width)
    self._optimizer = torch.optim.SGD(
      self._network.parameters(), lr=0.1, **_SGD
    )
    self._images = torch.randn(batch_size, 3, 32, 32)
    self._labels = torch.arange(batch_size) % 10

  def __call__(self) -> None:
    x, y, partner_y, lam = self._images, self._labels, self._labels, 1.0
    if self._alpha:
      x, y, partner_y, lam = official.mixup(self._torch, x, y, self._alpha)
    loss = self._torch.nn.functional.cross_entropy
    logits = self._network(x)
    total = lam * loss(logits, y)
    if self._alpha:
      total = total + (1 - lam) * loss(logits, partner_y)
    self._optimizer.zero_grad()
    total.backward()
    self._optimizer.step()


def augmentation_case(torch: Any, data: images.ImageSet) -> timing.Case:
  """Crops, flips and normalises 1,024 images from the set, both ways."""
  pixels = jax.device_put(data.train_images[:1024])

  @jax.jit
  def ours(key: jax.Array, pixels: jax.Array) -> jax.Array:
    crop_key, flip_key = jax.random.split(key)
    pixels = augment.random_crop(crop_key, pixels, padding=4)
    pixels = augment.random_flip(flip_key, pixels)
    return augment.normalize(pixels, mean=data.mean, std=data.std)

  tensor = torch.from_numpy(data.train_images[:1024]).permute(0, 3, 1, 2)
  mean, std = (
    torch.tensor(x).reshape(1, 3, 1, 1) for x in (data.mean, data.std)
  )

  def other() -> Any:
    padded = torch.nn.functional.pad(tensor, (4, 4, 4, 4))
    y, x = torch.randint(0, 9, (2, 1024, 1))
    steps = torch.arange(32)
    columns = torch.where(torch.rand(1024, 1) < 0.5, 31 - steps, steps) + x
    index = torch.arange(1024)
    cropped = padded.permute(0, 2, 3, 1)[
      index[:, None, None], (y + steps)[:, :, None], columns[:, None, :]
    ]
    return (cropped.permute(0, 3, 1, 2).float() / 255 - mean) / std

  return timing.Case(
    "crop, flip, normalise 1024x32x32x3",
    functools.partial(ours, jax.random.key(0), pixels),
    Method("pytorch_gather", "PyTorch, one gather"),
    other,
    0.2,
  )


def figures(
  step: Step, data: images.ImageSet, batch_size: int
) -> list[list[str]]:
  """Returns what has no other side, with the share of the peak if known."""
  seconds = statistics.median(timing.seconds(step) for _ in range(5))
  seconds /= step.at_once
  mix = jax.jit(functools.partial(transforms.mixup, alpha=1.0))
  inputs, labels = jax.device_put(
    (
      np.zeros((batch_size, 32, 32, 3), np.float32),
      data.train_labels[:batch_size],
    )
  )
  mixing = statistics.median(
    timing.seconds(lambda: mix(jax.random.key(0), inputs, labels))
    for _ in range(30)
  )
  nothing = jax.jit(lambda state: state, donate_argnums=0)

  def dispatch() -> None:
    step.state = nothing(step.state)

  dispatching = statistics.median(timing.seconds(dispatch) for _ in range(30))
  lines = [
    ["mixup, figure", "value"],
    ["steps a second", f"{1 / seconds:.2f}"],
    ["images a second", f"{batch_size / seconds:,.0f}"],
    ["mixing alone, % of a step", f"{100 * mixing / seconds:.3f}"],
    ["dispatch of the state, ms", f"{1e3 * dispatching:.2f}"],
    ["compilation, s", f"{step.compile_seconds:.1f}"],
    ["GFLOP a step, by XLA", f"{step.flops / 1e9:.1f}"],
  ]
  if peak.is_known():
    share = peak.share(step.flops, 1 / seconds)
    lines += [["% of the bf16 peak", f"{100 * share:.1f}"]]
  return lines


def fake_set() -> images.ImageSet:
  """Returns a set of noise in the shape of CIFAR-10; values take no time."""
  pixels = np.random.default_rng(0).integers(
    0, 256, (10_000, 32, 32, 3), np.uint8
  )
  labels = np.arange(10_000, dtype=np.int32) % 10
  return images.ImageSet(
    name="noise",
    train_images=pixels,
    train_labels=labels,
    test_images=pixels[:0],
    test_labels=labels[:0],
    num_classes=10,
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2023, 0.1994, 0.2010),
    pad=4,
    flip=True,
  )
