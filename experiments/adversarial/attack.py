"""Attacks on a network, and how another one does on what they make.

One compiled step serves all attacks: FGSM takes one of them, I-FGSM and PGD
take several. A loop of the host calls it, since a loop around the gradient of a
convolution inside a program is many times slower on a CPU.
"""

from typing import Any, Callable, Iterator, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from mixup_jax import losses
from mixup_jax import metrics
from mixup_jax import sharding
from mixup_jax.data import augment
from mixup_jax.evaluation import attacks
from mixup_jax.train import backend
from mixup_jax.train import state as states
from mixup_jax.train import step as steps

Array = jax.Array
Batch = dict[str, Array]
Name = tuple[str, int]  # Of a network: its method and its seed.


class Attack(NamedTuple):
  """How an attack looks for the worst point of the ball.

  Attributes:
    num_steps: The number of steps.
    step_share: The size of a step, as a share of epsilon.
    restarts: How often it starts, each time from a random point; 0 starts once,
      from the image itself.
  """

  num_steps: int
  step_share: float
  restarts: int = 0


class Program(NamedTuple):
  """Compiled functions of a network and a batch, and the mesh they lie on.

  Attributes:
    start: Takes a seed, the number of a start, a batch and epsilon; draws
      points of the balls.
    step: Takes a network, a batch, points, epsilon and the size of a step;
      returns the next points.
    worse: Takes a network, a batch and two points for each image; returns those
      of the higher loss.
    measure: Takes a network, a batch and points; returns `metrics.Sums`.
    mesh: The data mesh.
  """

  start: jax.stages.Wrapped
  step: jax.stages.Wrapped
  worse: jax.stages.Wrapped
  measure: jax.stages.Wrapped
  mesh: sharding.Mesh


def known(config: Any) -> dict[str, Attack]:
  """Returns the attacks of a config by name: the paper's two, and PGD."""
  return {
    "FGSM": Attack(1, 1.0),
    "I-FGSM": Attack(config.iterations, 1 / config.iterations),
    "PGD": Attack(config.pgd_steps, 2.5 / config.pgd_steps, config.restarts),
  }


def make_program(model: nn.Module, data: Any, mesh: sharding.Mesh) -> Program:
  """Compiles what attacks on a model need.

  Args:
    model: The classifier.
    data: The set; only its `mean` and `std` are used here.
    mesh: The data mesh, over which batches are spread.

  Returns:
    The program. A batch holds "pixels", `[batch, height, width, channels]`
    float32 from 0 to 255, "labels", and "where", False for padding.
  """

  def normalize(x: Array) -> Array:
    return augment.standardize(x, mean=data.mean, std=data.std)

  evaluate = steps.make_eval_step(model)

  def each_loss(state: states.TrainState, batch: Batch, x: Array) -> Array:
    logits: Any = model.apply(state.variables(), normalize(x), train=False)
    return losses.cross_entropy(logits, batch["labels"])

  def start(seed: Array, number: Array, batch: Batch, epsilon: Array) -> Array:
    key = jax.random.fold_in(jax.random.key(seed), number)
    return attacks.random_start(key, batch["pixels"], epsilon=epsilon)

  def step(
    state: states.TrainState,
    batch: Batch,
    x: Array,
    epsilon: Array,
    step_size: Array,
  ) -> Array:
    def loss_fn(x: Array, labels: Array) -> Array:
      return each_loss(state, {"labels": labels}, x)

    return attacks.iterated_fgsm(
      loss_fn,
      batch["pixels"],
      batch["labels"],
      epsilon=epsilon,
      num_steps=1,
      step_size=step_size,
      start=x,
      unroll=True,
    )

  def worse(
    state: states.TrainState, batch: Batch, x: Array, other: Array
  ) -> Array:
    is_worse = each_loss(state, batch, other) > each_loss(state, batch, x)
    return jnp.where(is_worse[:, None, None, None], other, x)

  def measure(state: states.TrainState, batch: Batch, x: Array) -> metrics.Sums:
    return evaluate(state, normalize(x), batch["labels"], where=batch["where"])

  def jit(function: Callable[..., Any], where: Callable[..., Any]) -> Any:
    return jax.jit(
      function,
      out_shardings=where(mesh),
      compiler_options=backend.compiler_options("run often"),
    )

  return Program(
    jit(start, sharding.sharded),
    jit(step, sharding.sharded),
    jit(worse, sharding.sharded),
    jit(measure, sharding.replicated),
    mesh,
  )


def batches(
  examples: tuple[np.ndarray, np.ndarray],
  *,
  batch_size: int,
  mesh: sharding.Mesh,
) -> Iterator[Batch]:
  """Yields images in order; the last batch is padded.

  Args:
    examples: `[images, height, width, channels]` uint8 and `[images]` labels.
    batch_size: Images in a batch.
    mesh: The data mesh.

  Yields:
    Batches, as `make_program` says.
  """
  pixels, labels = examples
  for begin in range(0, len(labels), batch_size):
    rows = np.arange(begin, begin + batch_size)
    where = rows < len(labels)
    rows = np.where(where, rows, 0)
    yield sharding.put(
      {
        "pixels": pixels[rows].astype(np.float32),
        "labels": labels[rows],
        "where": where,
      },
      sharding.sharded(mesh),
    )


def perturb(
  program: Program,
  state: states.TrainState,
  batch: Batch,
  *,
  attack: Attack,
  epsilon: float,
  seed: int,
) -> Array:
  """Makes adversarial examples with the gradient of a network.

  Args:
    program: The program.
    state: The network whose loss is to rise.
    batch: The images.
    attack: How.
    epsilon: How far a pixel may move, in pixels of 0 to 255.
    seed: Of the random points, if there are any.

  Returns:
    `[batch, height, width, channels]` float32 pixels.
  """
  if not epsilon:
    return batch["pixels"]

  def put(*values: np.generic) -> Any:
    return sharding.put(values, sharding.replicated(program.mesh))

  radius, size = put(
    np.float32(epsilon), np.float32(attack.step_share * epsilon)
  )
  worst = batch["pixels"]
  for number in range(max(1, attack.restarts)):
    x = batch["pixels"]
    if attack.restarts:
      x = program.start(*put(np.uint32(seed), np.uint32(number)), batch, radius)
    for _ in range(attack.num_steps):
      x = program.step(state, batch, x, radius, size)
    worst = program.worse(state, batch, worst, x) if number else x
  return worst


def errors(
  program: Program,
  source: states.TrainState,
  tested: dict[Name, states.TrainState],
  examples: tuple[np.ndarray, np.ndarray],
  *,
  batch_size: int,
  **how: Any,
) -> dict[Name, tuple[float, float]]:
  """Attacks one network, and measures others on what came out.

  Args:
    program: The program.
    source: The network whose gradient is used.
    tested: The networks that are measured, by name.
    examples: Images and labels.
    batch_size: Images in a batch.
    **how: As in `perturb`.

  Returns:
    Top-1 and top-5 error in per cent, by name.
  """
  sums: dict[Name, list[metrics.Sums]] = {name: [] for name in tested}
  for batch in batches(examples, batch_size=batch_size, mesh=program.mesh):
    x = perturb(program, source, batch, **how)
    for name, state in tested.items():
      sums[name].append(jax.device_get(program.measure(state, batch, x)))
  total = {
    name: jax.tree.map(lambda *x: np.sum(x, axis=0), *each).means()
    for name, each in sums.items()
  }
  return {
    name: (float(means["error"]), float(means["top5_error"]))
    for name, means in total.items()
  }
