"""Can data be mixed well by mixing what a trained VAE decodes?

    python -m experiments.vae_mixing
    python -m experiments.vae_mixing --config=configs/vae_mixing.py:smoke

For each seed a variational autoencoder is trained on the training inputs, and
then, with the same split, weights and order of the data, a classifier a method:
ERM, input mixup, mixing of codes that are decoded, mixing of reconstructions,
manifold mixup, and reconstructions that are not mixed. For the same seed, all
but manifold mixup draw the same pairs and weights. It ends with what each
method adds to the error of input mixup. The same command with the same working
directory goes on after the last group of seeds that was done.
"""

import functools
import pathlib
from typing import Any

import tqdm

from experiments.vae_mixing import groups
from experiments.vae_mixing import methods
from experiments.vae_mixing import problems
from experiments.vae_mixing import programs
from experiments.vae_mixing import table
from mixup_jax import results
from mixup_jax import transforms
from mixup_jax.models import vae
from mixup_jax.results import recorder as records
from mixup_jax.runtime import cli
from mixup_jax.train import backend

CONFIG = pathlib.Path(__file__).parents[2] / "configs" / "vae_mixing.py"
_LOWEST = {
  "seeds": 1,
  "seeds_at_once": 1,
  "first_seed": 0,
  "epochs": 1,
  "vae_epochs": 1,
  "batch_size": 2,
  "eval_batch_size": 1,
  "num_train": 0,
  "num_shown": 1,
}


def prepare(config: Any) -> dict[str, groups.Prepared]:
  """Checks the config, loads every set, and builds its programs."""
  transforms.check_alpha(config.alpha)
  for name, low in _LOWEST.items():
    if config[name] < low:
      raise ValueError(
        f"config.{name} must be at least {low}, got {config[name]}."
      )
  for name, hint in (
    ("datasets", "a set such as 'digits'"),
    ("layers", "at least one depth, such as 0"),
  ):
    if not config[name]:
      raise ValueError(f"config.{name} is empty: name {hint}.")
  backend.steps_per_dispatch(config.steps_per_dispatch)
  chosen = methods.choose(config.methods)
  prepared = {}
  for name in config.datasets:
    source = problems.load(config, name)
    encoder = vae.VAE(shape=source.problem.features.shape[1:], **config.vae)
    make = functools.partial(
      programs.classifier,
      config,
      encoder=encoder,
      num_classes=source.problem.num_classes,
    )
    prepared[name] = groups.Prepared(
      source,
      encoder,
      programs.autoencoder(config, encoder),
      {key: make(key) for key in chosen},
    )
  return prepared


def run(
  config: Any, prepared: dict[str, groups.Prepared], recorder: records.Recorder
) -> results.Result:
  """Trains all networks of every set; returns rows and a picture."""
  rows: list[results.Row] = []
  pictures: list[results.MixedInputs] = []
  starts = range(0, config.seeds, config.seeds_at_once)
  each = config.vae_epochs + config.epochs * len(methods.choose(config.methods))
  total = len(prepared) * len(starts) * each
  seconds = 0.0
  with tqdm.tqdm(total=total, unit="epoch") as progress:
    for name, parts in prepared.items():
      progress.set_postfix_str(name)
      found = []
      for start in starts:
        before = progress.n
        group = groups.once(
          recorder.workdir / name / f"group_{start}.json",
          functools.partial(
            groups.train,
            config,
            parts,
            slice(start, start + config.seeds_at_once),
            progress.update,
          ),
        )
        for key, losses in group["losses"].items():
          for epoch, loss in enumerate(losses, start=1):
            recorder.metrics(epoch, {f"{name}/{start}/{key}/loss": loss})
        found.append(group)
        seconds += group["seconds"]
        progress.update(before + each - progress.n)  # What was done before.
      if found[0]["picture"]:
        pictures.append(found[0]["picture"])
      whole = groups.join(found)
      rows += table.rows(
        config,
        setting(config, name),
        whole.pop("vae"),
        {key: x["error"] for key, x in whole.items()},
      )
  result: results.Result = {
    "rows": rows,
    "layout": table.LAYOUT,
    "wall_seconds": round(seconds, 2),
  }
  if pictures:
    result["mixed_inputs"] = pictures[0]
  return result


def setting(config: Any, name: str) -> str:
  """Names the set, and a network of images with its size."""
  if name != "cifar10":
    return name
  sizes = [
    f"{key} {value}" for key, value in config.model.items() if key != "name"
  ]
  sizes += ["no augmentation"]
  if config.num_train:
    sizes += [f"{config.num_train} training images"]
  return f"{name}, {config.model.name} ({', '.join(sizes)})"


if __name__ == "__main__":
  cli.launch("vae_mixing", prepare=prepare, run=run, config_file=CONFIG)
