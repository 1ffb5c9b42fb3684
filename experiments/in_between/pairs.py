"""Figure 2: ERM and mixup between pairs of training images."""

import pathlib
import time
from typing import Any, NamedTuple

import jax
import numpy as np
import tqdm

from configs import cifar as configs
from experiments.in_between import paper
from mixup_jax import models
from mixup_jax import results
from mixup_jax import sharding
from mixup_jax.data.in_memory import images
from mixup_jax.evaluation import in_between as measuring
from mixup_jax.recipes import in_memory
from mixup_jax.recipes import pretrained
from mixup_jax.train import backend
from mixup_jax.train import program as programs


class Prepared(NamedTuple):
  """What the part needs, checked."""

  config: Any  # That the networks are trained with.
  data: images.ImageSet
  programs: dict[str, programs.Program]  # By method.
  measure: measuring.Measure
  num_pairs: int


def prepare(config: Any) -> Prepared:
  """Checks the config, loads the data, and builds a program for each method."""
  if config.num_lams < 3 or config.num_lams % 2 == 0:
    raise ValueError(
      "config.num_lams must be odd and at least 3, so that lam "
      f"= 0.5 is one of them, got {config.num_lams}."
    )
  theirs = pretrained.trained_as(config)
  data = in_memory.load(theirs)
  known = len(data.train_labels)
  if not 0 <= config.num_pairs <= known:
    raise ValueError(
      f"config.num_pairs={config.num_pairs}, but {data.name} "
      f"has {known} training images: 0 pairs all."
    )
  methods = pretrained.methods(theirs.alpha)
  made = {
    name: in_memory.make_program(
      theirs, data, transform=in_memory.mixing(theirs, alpha)
    )
    for name, alpha in methods.items()
  }
  pretrained.check(config, theirs, made)
  model = models.build(
    num_classes=data.num_classes,
    dtype=backend.compute_dtype(theirs.precision),
    **theirs.model,
  )
  return Prepared(
    theirs,
    data,
    made,
    measuring.make_measure(model, data, sharding.make_mesh()),
    config.num_pairs or known,
  )


def setting(config: Any) -> str:
  """Names the set and the network, and in what they are not section 3.2's."""
  return in_memory.setting(
    config, configs.get_config(f"dataset=cifar10,model={config.model.name}")
  )


def result_rows(
  config: Any, method: str, values: np.ndarray
) -> list[results.Row]:
  """Makes the rows of a method.

  Args:
    config: The config that the networks were trained with.
    method: The name of the method.
    values: `[seeds, metrics, lams]`.

  Returns:
    For each metric a row at lam = 0.5, and one of the mean over lam.
  """
  name = setting(config)
  # The paper does not say which network of section 3.2 it took.
  is_papers = name in [
    f"cifar10, {model}" for model in configs.MODELS
  ] and method in pretrained.methods(1.0)
  rows = []
  for index, metric in enumerate(measuring.METRICS):
    ours = values[:, index]
    theirs = np.asarray(paper.curve(method.split(",")[0], index))
    for words, of in (
      ("lam 0.5", lambda x: x[..., x.shape[-1] // 2]),
      ("mean over lam", lambda x: x.mean(-1)),
    ):
      rows.append(
        results.summarize(
          of(ours),
          setting=name,
          method=method,
          metric=f"{metric}, {words}",
          paper=round(float(of(theirs)), 4) if is_papers else None,
          epochs=config.epochs,
        )
      )
  return rows


def curves(
  config: Any, method: str, lams: np.ndarray, values: np.ndarray
) -> list[results.Pairs]:
  """Returns the curves of a method, beside the paper's of CIFAR-10.

  Args:
    config: The config that the networks were trained with.
    method: The name of the method.
    lams: `[lams]`.
    values: `[seeds, metrics, lams]`.

  Returns:
    A curve for each metric.
  """
  return [
    results.Pairs(
      setting=setting(config),
      method=method,
      key=method,
      metric=metric,
      lam=lams.round(4).tolist(),
      values=values[:, index].round(4).tolist(),
      paper=paper.curve(method.split(",")[0], index),
    )
    for index, metric in enumerate(measuring.METRICS)
  ]


def run(
  config: Any, prepared: Prepared, workdir: pathlib.Path
) -> results.Result:
  """Trains the networks or finds them, and measures each.

  Args:
    config: The config of this run.
    prepared: What the part needs.
    workdir: Below which networks are trained.

  Returns:
    Rows and curves.
  """
  theirs, data, mesh = prepared.config, prepared.data, sharding.make_mesh()
  examples = data.train_images, data.train_labels
  lams = np.linspace(0, 1, config.num_lams)
  values: dict[str, list[np.ndarray]] = {name: [] for name in prepared.programs}
  seconds = 0.0
  for method, program in prepared.programs.items():
    for seed in in_memory.seeds(theirs):
      state, trained = pretrained.get(
        config, program, data, method, seed, workdir
      )
      start = time.perf_counter()
      batches = measuring.draw_pairs(
        seed,
        len(data.train_labels),
        count=prepared.num_pairs,
        batch_size=config.eval_batch_size,
      )
      shown = tqdm.tqdm(
        lams,
        unit="lam",
        desc=f"{method}, seed {seed}",
        disable=jax.process_index() > 0,
      )
      values[method].append(
        measuring.curves(
          prepared.measure, state, examples, batches, mesh, shown
        )
      )
      seconds += trained + time.perf_counter() - start
  stacked = {method: np.stack(each) for method, each in values.items()}
  return {
    "rows": sum((result_rows(theirs, *item) for item in stacked.items()), []),
    "pairs": sum(
      (curves(theirs, method, lams, each) for method, each in stacked.items()),
      [],
    ),
    "wall_seconds": seconds,
  }
