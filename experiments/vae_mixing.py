"""Can data be mixed well by mixing what a trained VAE decodes?

    python -m experiments.vae_mixing
    python -m experiments.vae_mixing --config=configs/vae_mixing.py:smoke

For each seed a variational autoencoder is trained on the training inputs, which
may be more than the labels that are used, and then, with the same split,
weights and order of the data, a classifier a method. For the same seed, all
methods but manifold mixup draw the same pairs and weights. The result is what
each method adds to the error of input mixup.

The same command with the same working directory resumes after the last group of
seeds that has ended.
"""

import functools
import pathlib
from typing import Any, Iterable

import numpy as np
import tqdm

from mixup_jax import models
from mixup_jax import results
from mixup_jax import transforms
from mixup_jax.evaluation import mixed_inputs
from mixup_jax.models import vae
from mixup_jax.recipes import assemble
from mixup_jax.recipes import autoencoder
from mixup_jax.recipes import checks
from mixup_jax.recipes import ranges
from mixup_jax.recipes import small_sets
from mixup_jax.results.recorder import Recorder
from mixup_jax.runtime import cli
from mixup_jax.train import backend

CONFIG = pathlib.Path(__file__).parent.parent / "configs" / "vae_mixing.py"

MIXUP = results.Method("mixup", "input mixup")
CODES = results.Method("codes", "VAE codes, mixed")
RECONSTRUCTIONS = results.Method(
  "reconstructions", "VAE reconstructions, mixed"
)
MANIFOLD = results.Method("manifold", "manifold mixup")
# What the autoencoder does to the inputs, without any mixing.
UNMIXED = results.Method("unmixed", "VAE reconstructions, not mixed")
METHODS = {
  method.key: method
  for method in (results.ERM, MIXUP, CODES, RECONSTRUCTIONS, MANIFOLD, UNMIXED)
}

ERROR = "test error (%)"
DIFFERENCE = "minus input mixup, paired (%)"
ELBO = "ELBO of test rows (nats)"
RESIDUAL = "not reconstructed (%)"
LAYOUT = results.Layout(
  lines="method",
  columns="metric",
  metrics=[ERROR, DIFFERENCE, results.P_VALUE, ELBO, RESIDUAL],
)


def choose(names: Iterable[str]) -> list[results.Method]:
  """Returns the methods of some keys, each once, or of "all"."""
  names = tuple(names)
  for name in names:
    checks.choice("method", name, ("all", *METHODS))
  keys = METHODS if "all" in names else dict.fromkeys(names)
  return [METHODS[key] for key in keys]


def codecs(
  encoder: vae.VAE, params: Any
) -> dict[results.Method, mixed_inputs.Codec]:
  """Returns in which codes methods mix: for mixup, these are the inputs."""
  call: Any = functools.partial(encoder.apply, {"params": params})

  def same(x: Any) -> Any:
    return x

  def encode(x: Any) -> Any:
    return call(x, method="encode")[0]

  decode = functools.partial(call, method="decode")
  reconstruct = functools.partial(call, method="reconstruct")
  return {
    MIXUP: mixed_inputs.Codec(same, same),
    RECONSTRUCTIONS: mixed_inputs.Codec(reconstruct, same),
    CODES: mixed_inputs.Codec(encode, decode),
  }


def manifold(config: Any) -> transforms.Transform:
  """Returns the transform that knows nothing of an autoencoder."""
  return functools.partial(
    transforms.manifold, alpha=config.alpha, layers=tuple(config.layers)
  )


def transform(
  config: Any, method: results.Method, encoder: vae.VAE, params: Any
) -> transforms.Transform | None:
  """Returns the transform of a method, with a trained autoencoder."""
  if method == results.ERM:
    return None
  if method == MANIFOLD:
    return manifold(config)
  is_mixed = method != UNMIXED
  codec = codecs(encoder, params)[method if is_mixed else RECONSTRUCTIONS]
  return functools.partial(
    transforms.latent,
    alpha=config.alpha if is_mixed else 0.0,
    encode=codec.encode,
    decode=codec.decode,
  )


def prepare(config: Any) -> dict[str, autoencoder.Prepared]:
  """Checks the config, loads every set, and builds its programs."""
  ranges.check(config)
  checks.at_least(config, batch_size=2)
  backend.steps_per_dispatch(config.steps_per_dispatch)
  for name, hint in (
    ("datasets", "a set such as 'digits'"),
    ("layers", "at least one depth, such as 0"),
  ):
    if not config[name]:
      raise ValueError(f"config.{name} is empty: name {hint}.")
  makers = {
    method: functools.partial(transform, config, method)
    for method in choose(config.methods)
  }
  prepared = {}
  for name in config.datasets:
    problem = small_sets.load(config, name)
    if MANIFOLD in makers:
      assemble.check_transform(
        manifold(config),
        models.build(num_classes=problem.num_classes, **config.model),
        problem.example(),
        config.batch_size,
      )
    prepared[name] = autoencoder.prepare(config, problem, makers)
  return prepared


def result_rows(
  config: Any,
  setting: str,
  measured: dict[str, dict[str, np.ndarray]],
  overlap: float = 0.0,
) -> list[results.Row]:
  """Makes the rows of a set.

  Args:
    config: The config; of it the epochs count.
    setting: The name of the set, with what is special about it.
    measured: `[seeds]` values, by the key of the network and by name.
    overlap: As in `results.summarize`.

  Returns:
    Errors; differences to input mixup, if it was run, and with two seeds their
    test; and what was measured of the autoencoder.
  """
  row = functools.partial(
    results.summarize, setting=setting, epochs=config.epochs, overlap=overlap
  )
  error = {
    method: measured[key]["error"]
    for key, method in METHODS.items()
    if key in measured
  }
  rows = [
    row(values, method=method, metric=ERROR) for method, values in error.items()
  ]
  for method, values in error.items():
    if method == MIXUP or MIXUP not in error:
      continue
    difference = values - error[MIXUP]
    rows.append(row(difference, method=method, metric=DIFFERENCE))
    if len(values) > 1:
      test = row(difference, method=method, metric=results.P_VALUE)
      p = results.paired_t_test(difference, overlap=overlap)
      rows.append({**test, "value": float(f"{p:.3g}"), "std": 0.0})
  found = measured[autoencoder.VAE.key]
  of = functools.partial(row, method=autoencoder.VAE, epochs=config.vae_epochs)
  share = 100 * found["residual"] / found["power"]
  return [*rows, of(found["elbo"], metric=ELBO), of(share, metric=RESIDUAL)]


def setting(config: Any, name: str) -> str:
  """Names the set, its rows, and for CIFAR-10 the network with its size."""
  words = []
  if name == "cifar10":
    sizes = {key: x for key, x in config.model.items() if key != "name"}
    words = [*(f"{key} {x}" for key, x in sizes.items()), "no augmentation"]
    name = f"{name}, {config.model.name}"
  if config.num_train:
    words += [f"{config.num_train} training images"]
  if config.vae_num_train != config.num_train:
    words += [f"{config.vae_num_train or 'all'} images of the VAE"]
  return f"{name} ({', '.join(words)})" if words else name


def run(
  config: Any, prepared: dict[str, autoencoder.Prepared], recorder: Recorder
) -> results.Result:
  """Trains all networks of every set; returns rows and mixed inputs."""
  result: results.Result = {"rows": [], "layout": LAYOUT, "wall_seconds": 0.0}
  total = sum(autoencoder.epochs(config, x) for x in prepared.values())
  with tqdm.tqdm(total=total, unit="epoch") as progress:
    for name, parts in prepared.items():
      progress.set_postfix_str(name)
      groups = {}
      for start, group in autoencoder.train(
        config,
        parts,
        recorder.workdir / name,
        show=functools.partial(
          mixed_inputs.mix_images,
          parts.problem,
          functools.partial(codecs, parts.encoder),
          count=config.num_shown,
        ),
        on_epochs=progress.update,
      ):
        groups[start] = group
        for key, losses in group["losses"].items():
          for epoch, loss in enumerate(losses, start=1):
            recorder.metrics(epoch, {f"{name}/{start}/{key}/loss": loss})
        result["wall_seconds"] += group["seconds"]
      if groups[0]["mixed_inputs"]:
        result.setdefault("mixed_inputs", groups[0]["mixed_inputs"])
      measured = autoencoder.join(list(groups.values()))
      result["rows"] += result_rows(
        config, setting(config, name), measured, parts.problem.overlap()
      )
  return result


if __name__ == "__main__":
  cli.launch("vae_mixing", prepare=prepare, run=run, config_file=CONFIG)
