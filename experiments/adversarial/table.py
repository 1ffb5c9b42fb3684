"""The paper's table, and the rows and curves of ours."""

from typing import Any

from configs import cifar as configs
from mixup_jax import results
from mixup_jax.recipes import in_memory

METHODS = ("ERM", "mixup")
ERRORS = ("top-1 error (%)", "top-5 error (%)")
# Top-1 and top-5 error in per cent of METHODS: Zhang et al., ICLR 2018, Table
# 3. The attacks on its networks are ours by name, and its images are others.
PAPER = {
  "white box, FGSM": ((90.7, 75.2), (63.1, 49.1)),
  "white box, I-FGSM": ((99.9, 99.6), (93.4, 95.8)),
  "black box, FGSM": ((57.0, 46.0), (24.8, 17.4)),
  "black box, I-FGSM": ((57.3, 40.9), (18.1, 11.8)),
}
PAPERS_SETTING = "imagenet2012, resnet101, epsilon 4"
NO_ATTACK = "no attack"
# By method, and by box and attack: for each seed, for each epsilon, the errors.
Values = dict[str, dict[str, list[list[tuple[float, float]]]]]


def setting(theirs: Any) -> str:
  """Names the set and the networks, and in what they are not section 3.2's."""
  name = f"{theirs.dataset}, {theirs.model.name}, {theirs.epochs} epochs"
  if theirs.model.name in configs.MODELS:
    paper = configs.get_config(f"dataset=cifar10,model={theirs.model.name}")
    name = in_memory.setting(theirs, paper)
  return f"{name}, alpha {theirs.alpha:g}"


def result_rows(config: Any, theirs: Any, values: Values) -> list[results.Row]:
  """Makes the rows at the epsilon of the config.

  Args:
    config: The config.
    theirs: The config that the networks were trained with.
    values: The errors.

  Returns:
    The rows of both errors; without an attack, those at epsilon 0.
  """
  at = config.epsilons.index(config.epsilon)
  nothing = config.epsilons.index(0)
  rows = []
  for index, error in enumerate(ERRORS):
    for method, attacks in values.items():
      shown = {NO_ATTACK: (attacks["white box, FGSM"], nothing)}
      shown |= {name: (each, at) for name, each in attacks.items()}
      rows += [
        results.summarize(
          [seed[where][index] for seed in each],
          setting=f"{setting(theirs)}, epsilon {config.epsilon:g}",
          method=method,
          metric=f"{error}, {name}",
          paper=None,
          epochs=theirs.epochs,
        )
        for name, (each, where) in shown.items()
      ]
  return rows


def paper_rows() -> list[results.Row]:
  """Returns the rows of the paper's table, as not run."""
  return [
    results.summarize(
      [],
      setting=PAPERS_SETTING,
      method=method,
      metric=f"{error}, {name}",
      paper=paper[index][which],
      epochs=0,
    )
    for index, error in enumerate(ERRORS)
    for name, paper in PAPER.items()
    for which, method in enumerate(METHODS)
  ]


def layout(rows: list[results.Row]) -> results.Layout:
  """Returns how the rows are shown: a line an attack, a column a method."""
  return results.Layout(
    lines="metric",
    columns="method",
    metrics=list(dict.fromkeys(r["metric"] for r in rows)),
  )


def curves(
  config: Any, theirs: Any, values: Values
) -> list[results.Robustness]:
  """Returns the top-1 error over epsilon, of each method and attack."""
  return [
    results.Robustness(
      setting=setting(theirs),
      method=method,
      key=method,
      attack=name,
      epsilon=list(config.epsilons),
      values=[[round(errors[0], 4) for errors in seed] for seed in each],
    )
    for method, attacks in values.items()
    for name, each in attacks.items()
  ]
