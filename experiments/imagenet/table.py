"""The paper's table, and the rows and curves of ours."""

from typing import Any

from configs import imagenet as configs
from mixup_jax import results
from mixup_jax.recipes import in_memory
from mixup_jax.train import run as runs

TOP1 = "top-1 error (%), last epoch"
TOP5 = "top-5 error (%), last epoch"
# Network, epochs, method, top-1 and top-5 error in per cent: Zhang et al., ICLR
# 2018, Table 1. Those of ERM without a top-5 error, or of 100 epochs, it quotes
# from Goyal et al., 2017, and Xie et al., 2016.
PAPER: tuple[tuple[str, int, str, float, float | None], ...] = (
  ("resnet50", 90, "ERM", 23.5, None),
  ("resnet50", 90, "mixup, alpha 0.2", 23.3, 6.6),
  ("resnet101", 90, "ERM", 22.1, None),
  ("resnet101", 90, "mixup, alpha 0.2", 21.5, 5.6),
  ("resnext101_32x4d", 100, "ERM", 21.2, None),
  ("resnext101_32x4d", 90, "ERM", 21.2, 5.6),
  ("resnext101_32x4d", 90, "mixup, alpha 0.4", 20.7, 5.3),
  ("resnext101_64x4d", 100, "ERM", 20.4, 5.3),
  ("resnext101_64x4d", 90, "mixup, alpha 0.4", 19.8, 4.9),
  ("resnet50", 200, "ERM", 23.6, 7.0),
  ("resnet50", 200, "mixup, alpha 0.2", 22.1, 6.1),
  ("resnet101", 200, "ERM", 22.0, 6.1),
  ("resnet101", 200, "mixup, alpha 0.2", 20.8, 5.4),
  ("resnext101_32x4d", 200, "ERM", 21.3, 5.9),
  ("resnext101_32x4d", 200, "mixup, alpha 0.4", 20.1, 5.0),
)
LAYOUT = results.Layout(lines="metric", columns="method", metrics=[TOP1, TOP5])


def setting(config: Any) -> str:
  """Names the set and the network, and in what they are not the paper's."""
  paper = configs.get_config(f"dataset=imagenet2012,model={config.model.name}")
  name = f"{config.dataset}, {config.model.name}, {config.epochs} epochs"
  ours = config.to_dict()
  differs = [
    f"{key} {value}"
    for key, value in ours["model"].items()
    if paper.model.get(key) != value
  ]
  differs += [
    f"{key.replace('_', ' ')} {ours[key]}"
    for key in ("image_size", "batch_size", "learning_rate")
    if ours[key] != paper[key]
  ]
  return f"{name} ({', '.join(differs)})" if differs else name


def paper_rows() -> list[results.Row]:
  """Returns the rows of the paper's table, as not run."""
  return [
    results.summarize(
      [],
      setting=f"imagenet2012, {model}, {epochs} epochs",
      method=method,
      metric=metric,
      paper=error,
      epochs=epochs,
    )
    for model, epochs, method, *errors in PAPER
    for metric, error in zip((TOP1, TOP5), errors)
  ]


def result_rows(
  config: Any, method: str, trained: list[runs.Lines]
) -> list[results.Row]:
  """Makes the rows of one method from the epochs of every seed."""
  name = setting(config)
  paper = {
    (row["setting"], row["method"], row["metric"]): row["paper"]
    for row in paper_rows()
  }
  values = {
    TOP1: "validation/error",
    TOP5: "validation/top5_error",
    "NLL (nats), last epoch": "validation/nll",
    "ECE (%), last epoch": "validation/ece",
    "training error (%), weighted by lam": "train/error",
  }
  rows = {
    metric: [lines[-1][key] for lines in trained]
    for metric, key in values.items()
  } | {"seconds a network": [in_memory.seconds(lines) for lines in trained]}
  return [
    results.summarize(
      numbers,
      setting=name,
      method=method,
      metric=metric,
      paper=paper.get((name, method, metric)),
      epochs=config.epochs,
    )
    for metric, numbers in rows.items()
  ]


def curves(
  config: Any, method: str, trained: list[runs.Lines]
) -> list[results.Curve]:
  """Returns the errors over the epochs of every seed."""
  return [
    results.Curve(
      setting=setting(config),
      method=method,
      key=method,
      metric=metric,
      epochs=list(range(1, config.epochs + 1)),
      values=[[round(line[key], 4) for line in lines] for lines in trained],
    )
    for metric, key in (
      ("top-1 error (%)", "validation/error"),
      ("training error (%)", "train/error"),
    )
  ]
