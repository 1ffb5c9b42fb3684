"""The paper's table, and the rows and curves of ours."""

from typing import Any

from configs import speech as configs
from mixup_jax import results
from mixup_jax.recipes import in_memory
from mixup_jax.train import run as runs

VALIDATION = "validation error (%), last epoch"
TEST = "test error (%), last epoch"
BEST = "test error (%), epoch of the lowest validation error"
# Validation and test error in per cent: Zhang et al., ICLR 2018, Figure 4. It
# mixed spectrograms, and does not say which epoch they are of.
PAPER = {
  ("lenet", "ERM"): (9.8, 10.3),
  ("lenet", "spectrogram, alpha 0.1"): (10.1, 10.8),
  ("lenet", "spectrogram, alpha 0.2"): (10.2, 11.3),
  ("vgg11", "ERM"): (5.0, 4.6),
  ("vgg11", "spectrogram, alpha 0.1"): (4.0, 3.8),
  ("vgg11", "spectrogram, alpha 0.2"): (3.9, 3.4),
}
LAYOUT = results.Layout(
  lines="metric", columns="method", metrics=[VALIDATION, TEST, BEST]
)


def setting(config: Any, model: str) -> str:
  """Names the set and the network, and in what they are not the paper's."""
  paper = configs.get_config("dataset=speech_commands_v0.01")
  names = ("epochs", "batch_size", "learning_rate", "bins")
  differs = [
    f"{name} {value}"
    for name, value in config[model].items()
    if value != paper[model][name]
  ]
  differs += [
    f"{name.replace('_', ' ')} {config[name]}"
    for name in names
    if config[name] != paper[name]
  ]
  name = f"{config.dataset}, {model}"
  return f"{name} ({', '.join(differs)})" if differs else name


def paper_rows() -> list[results.Row]:
  """Returns the rows of the paper's table, as not run."""
  return [
    results.summarize(
      [],
      setting=f"speech_commands_v0.01, {model}",
      method=method,
      metric=metric,
      paper=error,
      epochs=30,
    )
    for (model, method), errors in PAPER.items()
    for metric, error in zip((VALIDATION, TEST), errors)
  ]


def result_rows(
  config: Any, model: str, method: str, trained: list[runs.Lines]
) -> list[results.Row]:
  """Makes the rows of one method from the epochs of every seed."""
  name = setting(config, model)
  paper = {
    (row["setting"], row["method"], row["metric"]): row["paper"]
    for row in paper_rows()
  }
  best = [min(lines, key=lambda x: x["validation/error"]) for lines in trained]
  last = [lines[-1] for lines in trained]
  values = {
    VALIDATION: [line["validation/error"] for line in last],
    TEST: [line["test/error"] for line in last],
    BEST: [line["test/error"] for line in best],
    "test NLL (nats), last epoch": [line["test/nll"] for line in last],
    "test ECE (%), last epoch": [line["test/ece"] for line in last],
    "training error (%), clean": [line["clean/error"] for line in last],
    "seconds a network": [in_memory.seconds(lines) for lines in trained],
  }
  return [
    results.summarize(
      numbers,
      setting=name,
      method=method,
      metric=metric,
      paper=paper.get((name, method, metric)),
      epochs=config.epochs,
    )
    for metric, numbers in values.items()
  ]


def curves(
  config: Any, model: str, method: str, trained: list[runs.Lines]
) -> list[results.Curve]:
  """Returns the errors over the epochs of every seed."""
  return [
    results.Curve(
      setting=setting(config, model),
      method=method,
      key=method,
      metric=metric,
      epochs=list(range(1, config.epochs + 1)),
      values=[[round(line[key], 4) for line in lines] for lines in trained],
    )
    for metric, key in (
      ("test error (%)", "test/error"),
      ("validation error (%)", "validation/error"),
    )
  ]
