"""Proves that seeds of long and of short runs meet in one row."""

import numpy as np

from configs import gan as configs
from experiments.gan import cells
from experiments.gan import table
from mixup_jax import results
from mixup_jax.gan import modes
from mixup_jax.results import encoding


def config():
  values = configs.get_config("seeds=3,dataset=ring,method=mixup")
  values.long_seeds, values.num_shown = 1, 4
  values.iterations, values.short_iterations = 200, 100
  values.snapshots = (10, 200)
  return values


def outcome(cell):
  """Returns a run in which seed s covers s modes, and one more at the end."""
  lines = [
    {
      "step": step,
      **{
        f"{metric}/seed_{seed}": seed + (step == 200)
        for metric in modes.METRICS
        for seed in cell.seeds
      },
    }
    for step in range(100, cell.iterations + 1, 100)
  ]
  return cells.Outcome(lines, np.full((cell.num_seeds, 2, 4, 2), 0.5))


def test_the_first_seeds_play_to_the_end():
  found = table.cells_of(config())
  assert [(c.first_seed, c.num_seeds, c.iterations) for c in found] == [
    (0, 1, 200),
    (1, 2, 100),
  ]
  values = config()
  values.long_seeds = 3
  assert [c.num_seeds for c in table.cells_of(values)] == [3]


def test_a_width_that_is_not_the_papers_is_named():
  values = config()
  values.hidden = (8, 8)
  played = [(cell, outcome(cell)) for cell in table.cells_of(values)]
  names = {row["setting"] for row in table.rows(values, played)}
  assert names == {
    "ring, width 8, after 100 iterations",
    "ring, width 8, after 200 iterations",
  }


def test_rows_and_pictures():
  values = config()
  played = [(cell, outcome(cell)) for cell in table.cells_of(values)]
  result = table.result(values, [], played)
  rows = {(row["setting"], row["metric"]): row for row in result["rows"]}
  first = rows["ring, after 100 iterations", "modes covered"]
  assert (first["value"], first["n"]) == (1, 3)
  last = rows["ring, after 200 iterations", "modes covered"]
  assert (last["value"], last["n"]) == (1, 1)
  assert len(rows) == 6 and len(results.blocks(result)) == 2
  (shown,) = result["snapshots"]
  assert shown["iterations"] == [10, 200] and len(shown["fake"]) == 2
  np.testing.assert_allclose(encoding.decode_points(shown["fake"][0]), 0.5)
  assert encoding.decode_points(shown["real"]).shape == (4, 2)
