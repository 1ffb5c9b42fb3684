"""The error of networks on adversarial examples, their own or another's.

One compiled step serves all attacks: FGSM takes one of them, I-FGSM and PGD
take several. A loop of the host calls it, since a loop around the gradient of a
convolution inside a program is many times slower on a CPU.
"""

from typing import Any, Callable, Hashable, Mapping, NamedTuple, TypeVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from mixup_jax import losses
from mixup_jax import metrics
from mixup_jax import sharding
from mixup_jax.evaluation import attacks
from mixup_jax.evaluation import mixup_inference
from mixup_jax.evaluation import predict
from mixup_jax.train.state import TrainState

Array = jax.Array
Batch = predict.Batch
Name = TypeVar("Name", bound=Hashable)
Measure = Callable[[TrainState, Batch, Array], metrics.Sums]


class Attack(NamedTuple):
  """A search for the worst point of a ball around an image.

  Attributes:
    num_steps: The number of steps.
    step_share: The size of a step, as a share of epsilon.
    restarts: The number of starts, each from a random point; 0 starts once,
      from the image itself.
  """

  num_steps: int
  step_share: float
  restarts: int = 0


class Program(NamedTuple):
  """Compiled functions of a network and a batch of `predict.batches`.

  Attributes:
    start: Takes a seed, the number of a start, a batch and epsilon; draws
      points of the balls.
    step: Takes a state, a batch, points, epsilon and the size of a step;
      returns the next points.
    worse: Takes a state, a batch and two points for each image; returns those
      of the higher loss.
    logits: Takes a state and points; returns logits.
    score: Takes logits and a batch; returns `metrics.Sums`.
    measure: Takes a state, a batch and points; returns `metrics.Sums`.
    mesh: The data mesh.
  """

  start: jax.stages.Wrapped
  step: jax.stages.Wrapped
  worse: jax.stages.Wrapped
  logits: jax.stages.Wrapped
  score: jax.stages.Wrapped
  measure: jax.stages.Wrapped
  mesh: sharding.Mesh


def make_program(model: nn.Module, data: Any, mesh: sharding.Mesh) -> Program:
  """Compiles attacks on a model.

  Args:
    model: The classifier.
    data: The set; of it `mean` and `std` are used.
    mesh: The data mesh, over which batches are sharded.

  Returns:
    The program.
  """
  logits = predict.make_logits(model, data)

  def loss(state: TrainState, batch: Batch, x: Array) -> Array:
    return losses.cross_entropy(logits(state, x), batch["labels"])

  def start(seed: Array, number: Array, batch: Batch, epsilon: Array) -> Array:
    key = jax.random.fold_in(jax.random.key(seed), number)
    return attacks.random_start(key, batch["pixels"], epsilon=epsilon)

  def step(
    state: TrainState, batch: Batch, x: Array, epsilon: Array, step_size: Array
  ) -> Array:
    return attacks.iterated_fgsm(
      lambda pixels, labels: loss(state, {"labels": labels}, pixels),
      batch["pixels"],
      batch["labels"],
      epsilon=epsilon,
      num_steps=1,
      step_size=step_size,
      start=x,
      unroll=True,
    )

  def worse(state: TrainState, batch: Batch, x: Array, other: Array) -> Array:
    is_worse = loss(state, batch, other) > loss(state, batch, x)
    return jnp.where(is_worse[:, None, None, None], other, x)

  def score(found: Array, batch: Batch) -> metrics.Sums:
    return metrics.classification(found, batch["labels"], where=batch["where"])

  def measure(state: TrainState, batch: Batch, x: Array) -> metrics.Sums:
    return score(logits(state, x), batch)

  split, whole = sharding.sharded(mesh), sharding.replicated(mesh)
  return Program(
    predict.jit(start, split),
    predict.jit(step, split),
    predict.jit(worse, split),
    predict.jit(logits, split),
    predict.jit(score, whole),
    predict.jit(measure, whole),
    mesh,
  )


def perturb(
  program: Program,
  state: TrainState,
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


def adversarial_examples(
  program: Program, state: TrainState, examples: predict.Examples, **how: Any
) -> np.ndarray:
  """Returns adversarial examples of a few images on the host.

  Args:
    program: The program.
    state: The network whose gradient is used.
    examples: Images and labels, all of them one batch.
    **how: As in `perturb`.

  Returns:
    `[images, height, width, channels]` float32 pixels.
  """
  count, mesh = len(examples[1]), program.mesh
  size = count * mesh.size
  (batch,) = predict.batches(examples, batch_size=size, mesh=mesh)
  gather = predict.jit(lambda x: x, sharding.replicated(mesh))
  x = gather(perturb(program, state, batch, **how))
  return jax.device_get(x)[:count]


def measure_by_mixes(
  program: Program, pool: predict.Examples, *, seed: int, **how: Any
) -> Measure:
  """Returns what measures a network as mixup inference defends it.

  The attack does not know of the defence.

  Args:
    program: The program.
    pool: Clean images and labels, such as those of training.
    seed: Of what is drawn from them.
    **how: `kind`, `lam` and `samples` of `mixup_inference`.
  """
  images, labels = pool
  clean: Any = sharding.put(
    (images.astype(np.float32), labels), sharding.replicated(program.mesh)
  )

  def measure(state: TrainState, batch: Batch, x: Array) -> metrics.Sums:
    with jax.transfer_guard("allow"):  # Of scalars, for each of many mixes.
      found = mixup_inference.mixup_inference(
        jax.random.key(seed),
        lambda pixels: program.logits(state, pixels),
        x,
        clean,
        **how,
      )
      return program.score(jnp.log(found), batch)

  return measure


def errors(
  program: Program,
  source: TrainState,
  tested: Mapping[Name, TrainState],
  examples: predict.Examples,
  *,
  batch_size: int,
  measure: Measure | None = None,
  **how: Any,
) -> dict[Name, tuple[float, float]]:
  """Attacks one network, and measures networks on the adversarial examples.

  Args:
    program: The program.
    source: The network whose gradient is used.
    tested: The networks that are measured, by name.
    examples: Images and labels.
    batch_size: As in `predict.batches`.
    measure: How they are measured; by default as they are.
    **how: As in `perturb`.

  Returns:
    Top-1 and top-5 error in per cent, by name.
  """
  measure = measure or program.measure
  sums: dict[Name, list[metrics.Sums]] = {name: [] for name in tested}
  for batch in predict.batches(
    examples, batch_size=batch_size, mesh=program.mesh
  ):
    x = perturb(program, source, batch, **how)
    for name, state in tested.items():
      sums[name].append(jax.device_get(measure(state, batch, x)))
  found = {}
  for name, each in sums.items():
    means = jax.tree.map(lambda *x: np.sum(x, axis=0), *each).means()
    found[name] = float(means["error"]), float(means["top5_error"])
  return found
