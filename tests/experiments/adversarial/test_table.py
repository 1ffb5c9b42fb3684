"""Proves the rows, the curves and the paper's numbers beside them."""

from configs import adversarial as configs
from experiments.adversarial import table


def config():
  values = configs.get_config("dataset=cifar10,seeds=2")
  values.update({"epsilons": (0.0, 4.0), "epochs": 12})
  return values


# Of each seed at epsilon 0 and 4: top-1 and top-5 error.
VALUES = {
  "ERM": {
    "white box, FGSM": [[(5.0, 1.0), (60.0, 20.0)], [(7.0, 2.0), (80.0, 30.0)]],
    "black box, FGSM": [[(7.0, 2.0), (40.0, 10.0)]],
  },
  "mixup": {
    "white box, FGSM": [[(4.0, 1.0), (50.0, 10.0)]],
    "black box, FGSM": [[(4.0, 1.0), (30.0, 5.0)]],
  },
}


def test_rows_are_at_the_epsilon_of_the_config():
  rows = {
    (row["method"], row["metric"]): row
    for row in table.result_rows(config(), config(), VALUES)
  }
  assert rows["ERM", "top-1 error (%), no attack"]["value"] == 6
  white = rows["ERM", "top-1 error (%), white box, FGSM"]
  assert (white["value"], white["n"], white["epochs"]) == (70, 2, 12)
  assert "epochs 12" in white["setting"] and "epsilon 4" in white["setting"]
  black = rows["mixup", "top-5 error (%), black box, FGSM"]
  assert (black["value"], black["n"]) == (5, 1)
  # The paper's networks and images are others.
  assert all(row["paper"] is None for row in rows.values())


def test_the_papers_eight_numbers_of_each_error_are_there_and_not_run():
  rows = table.paper_rows()
  assert len(rows) == 16 and all(row["value"] is None for row in rows)
  found = {(row["method"], row["metric"]): row["paper"] for row in rows}
  assert found["ERM", "top-1 error (%), white box, FGSM"] == 90.7
  assert found["mixup", "top-5 error (%), black box, I-FGSM"] == 11.8

  # The ratio of accuracies that the text of the section gives: 2.7 times.
  def right(method):
    return 100 - found[method, "top-1 error (%), white box, FGSM"]

  assert round(right("mixup") / right("ERM"), 1) == 2.7


def test_curves_hold_the_top_1_error_of_every_seed():
  curves = table.curves(config(), config(), VALUES)
  assert len(curves) == 4
  first = curves[0]
  assert (first["method"], first["attack"]) == ("ERM", "white box, FGSM")
  assert first["epsilon"] == [0, 4] and first["values"] == [[5, 60], [7, 80]]
