"""Proves the rows and curves of Figure 2, and what is refused."""

import numpy as np
import pytest

from configs import in_between as configs
from experiments.in_between import pairs
from mixup_jax.evaluation import in_between as measure


def config(argument="smoke", **changes):
  values = configs.get_config(argument)
  values.update(changes)
  return values


# [seeds, metrics, lams]
VALUES = np.array(
  [[[0.0, 8.0, 1.0], [0.1, 0.6, 0.2]], [[2.0, 4.0, 3.0], [0.3, 0.2, 0.4]]]
)


def test_rows_are_those_of_the_middle_and_of_the_mean():
  name = "cifar10, preact_resnet18"
  values = config("dataset=cifar10,seeds=2")
  rows = pairs.result_rows(values, "ERM", VALUES)
  assert [row["value"] for row in rows] == [6.0, 3.0, 0.4, 0.3]
  assert [row["metric"].split(", ")[1] for row in rows] == [
    "lam 0.5",
    "mean over lam",
  ] * 2
  assert {row["setting"] for row in rows} == {name}
  assert rows[0]["paper"] == 16.516 and rows[2]["paper"] == 0.1768
  assert abs(rows[1]["paper"] - 6.94) < 0.01 and rows[0]["n"] == 2


@pytest.mark.parametrize(
  "argument, changes, method",
  [
    ("smoke", {}, "ERM"),
    ("dataset=cifar10,schedule=short", {}, "ERM"),
    ("dataset=cifar10", {"num_train": 100}, "ERM"),
    ("dataset=cifar10", {"alpha": 0.2}, "mixup, alpha 0.2"),
  ],
)
def test_what_is_not_the_papers_is_not_put_beside_it(argument, changes, method):
  rows = pairs.result_rows(config(argument, **changes), method, VALUES)
  assert all(row["paper"] is None for row in rows)


def test_curves_hold_every_seed_and_the_papers():
  misses, norm = pairs.curves(
    config(), "mixup, alpha 1", np.linspace(0, 1, 3), VALUES
  )
  assert (misses["metric"], norm["metric"]) == measure.METRICS
  assert misses["lam"] == [0, 0.5, 1]
  assert norm["values"] == [[0.1, 0.6, 0.2], [0.3, 0.2, 0.4]]
  assert misses["paper"][10] == 6.04 and len(norm["paper"]) == 21


@pytest.mark.parametrize(
  "changes, message",
  [
    ({"num_lams": 20}, "num_lams must be odd and at least 3, .* got 20"),
    ({"num_lams": 1}, "num_lams must be odd and at least 3, .* got 1"),
    ({"num_pairs": 2000}, "num_pairs=2000, but digits has 1437 training"),
    ({"num_pairs": -1}, "num_pairs=-1, but digits has"),
    ({"networks": "nowhere"}, "config.networks=nowhere is no finished run"),
    ({"alpha": -1.0}, "alpha must be .* got -1"),
  ],
)
def test_bad_configs_are_refused_before_any_work(changes, message):
  with pytest.raises(ValueError, match=message):
    pairs.prepare(config(**changes))
