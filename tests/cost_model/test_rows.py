"""Tests of rows of costs."""

import ml_collections

from configs import mixing
from mixup_jax import results
from mixup_jax.cost_model import chips
from mixup_jax.cost_model import collectives
from mixup_jax.cost_model import estimate
from mixup_jax.cost_model import hlo
from mixup_jax.cost_model import measure
from mixup_jax.cost_model import memory
from mixup_jax.cost_model import rows

CHIP = chips.Chip(flops=1e9, bandwidth=1e8, link=1e6, network=1e6)
CONFIG = ml_collections.ConfigDict(
  {
    "dataset": "digits",
    "model": {"name": "mlp"},
    "batch_size": 16,
    "accumulation": 2,
    "mix": mixing.get_mix(alpha=0.2),
  }
)


def cost(read=9e8, found=()):
  moved = {
    hlo.HBM: memory.Moved(read, 1e8),
    hlo.ON_CHIP: memory.Moved(2e9, 1e9),
  }
  return measure.Cost(1e9, 3e9, moved, 5e8, list(found), [])


def result(*, slices=1):
  found = [
    collectives.Collective("all-reduce", 2_000_000, None, times=3),
    collectives.Collective("all-reduce", 1_000_000, None, between=True),
  ]
  costs = {
    "ERM": cost(),
    "mixup, roll partners": cost(9.1e8, found[: 1 if slices == 1 else 2]),
    "mixup, all_to_all partners": None,
  }
  pod = chips.Pod(CHIP, (2, 4), slices)
  return rows.result(
    CONFIG, estimate.Estimate("v5e:2x4", pod, costs, 3.0), None
  )


def values(made):
  return {
    row["metric"]: row["value"]
    for row in made["rows"]
    if row["method"] == "mixup, roll partners"
  }


def test_result_compares_rows_with_those_of_erm():
  made = result()
  assert {row["setting"] for row in made["rows"]} == {
    "digits, mlp, batch 16 in 2 steps, v5e:2x4"
  }
  roll = values(made)
  assert made["wall_seconds"] == 3
  assert roll["memory a chip (GB)"] == 1
  assert roll["HBM moved (GB)"] == 1.01 and roll["HBM at least (GB)"] == 0.5
  assert roll["on-chip memory moved (GB)"] == 3
  assert roll["HBM, more than ERM (%)"] == 1
  assert roll["GFLOP, more than ERM (%)"] == 0
  assert (roll["all-reduces"], roll["all-reduces (MB)"]) == (3, 6)
  ((_, (header, *lines)),) = results.blocks(made)
  assert (
    header[1:] == ["ERM", *dict.fromkeys(x["method"] for x in made["rows"])][1:]
  )
  assert {line[0]: line[2] for line in lines}["all-reduces"] == "3"
  assert lines[0][3] == "not run"


def test_result_has_the_time_of_each_resource():
  roll = values(result())
  assert roll["FLOP (ms)"] == 3000 and roll["HBM (ms)"] == 10100
  # A ring of eight chips, each with three links: 2 x 2 MB x 7/8, three times.
  assert roll["collectives (ms)"] == 3500
  # HBM at least takes 5 s, which is the longest.
  assert roll["step at least (ms)"] == 5000
  assert "between slices (ms)" not in roll


def test_result_of_two_slices_has_what_they_send_each_other():
  roll = values(result(slices=2))
  assert roll["between slices (ms)"] == 1000
  assert roll["all-reduces between slices"] == 1
  assert roll["all-reduces between slices (MB)"] == 1
