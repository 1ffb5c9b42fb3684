"""Proves where each game is on the map, and that a failed one leaves a hole."""

import numpy as np

from configs import gan as configs
from experiments.gan import cells
from experiments.gan import stability


def test_the_map():
  config = configs.get_config("part=stability,method=erm,seeds=2")
  config.widths, config.learning_rates = (8, 16), (1e-3, 1e-2, 1e-1)
  found = stability.cells_of(config)
  assert len(found) == 6 and found[-1].hidden == (16, 16, 16)

  def covered(cell):
    return cell.hidden[0] * cell.learning_rate

  played = [
    (
      cell,
      cells.Outcome(
        [
          {
            f"{stability.METRIC}/seed_{seed}": covered(cell) + seed
            for seed in cell.seeds
          }
        ],
        np.zeros(0),
      ),
    )
    for cell in found[:-1]
  ]
  result = stability.result(config, found, played)
  (heat_map,) = result["heat_maps"]
  assert heat_map["columns"] == [1e-3, 1e-2, 1e-1]
  assert heat_map["lines"] == [8, 16] and heat_map["limits"] == [0, 8]
  np.testing.assert_allclose(
    np.array(heat_map["values"], float),
    [[0.508, 0.58, 1.3], [0.516, 0.66, np.nan]],
  )
  assert [row["n"] for row in result["rows"]] == [2] * 5 + [0]
  assert result["rows"][0]["setting"].endswith("width 8, rate 0.001")
