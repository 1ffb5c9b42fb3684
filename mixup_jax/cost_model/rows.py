"""Rows of a result from the costs of a step."""

from typing import Any

from mixup_jax import results
from mixup_jax.cost_model import chips
from mixup_jax.cost_model import collectives
from mixup_jax.cost_model import estimate
from mixup_jax.cost_model import hlo
from mixup_jax.cost_model import measure

# Whole numbers, in the table too.
_COUNTS = {
  f"{kind}s{between}"
  for kind in collectives.KINDS
  for between in ("", collectives.BETWEEN)
}


def result(config: Any, found: estimate.Estimate, recorder: Any) -> Any:
  """Returns the costs as the rows of a result.

  Args:
    config: The config.
    found: The costs, as `estimate` returns them.
    recorder: Unused.

  Returns:
    The result.
  """
  del recorder
  batch = f"batch {config.batch_size}"
  if config.get("accumulation", 1) > 1:
    batch += f" in {config.accumulation} steps"
  setting = f"{config.dataset}, {config.model.name}, {batch}, {found.topology}"
  plain = found.costs["ERM"]
  assert plain is not None  # `estimate` raises if it does not compile.
  rows = []
  for name, cost in found.costs.items():
    mixed = results.Method(config.mix.name, name)
    method = results.ERM if name == results.ERM.label else mixed
    for metric, value in _numbers(cost or plain, plain, found.pod).items():
      row = results.summarize(
        [] if cost is None else [value],
        setting=setting,
        method=method,
        metric=metric,
        epochs=0,
      )
      rows.append(row)
      if metric in _COUNTS:
        row["decimals"] = 0
  metrics = list(dict.fromkeys(row["metric"] for row in rows))
  return {
    "rows": rows,
    "layout": {"lines": "metric", "columns": "method", "metrics": metrics},
    "wall_seconds": round(found.seconds, 2),
  }


def _numbers(
  cost: measure.Cost, plain: measure.Cost, pod: chips.Pod
) -> dict[str, float]:
  """Returns the numbers of a method by metric, some relative to ERM."""

  def more(own: float, other: float) -> float:
    return 100 * (own / other - 1)

  times = cost.times(pod)
  numbers = {
    "memory a chip (GB)": cost.memory / 1e9,
    "GFLOP a chip": cost.flops / 1e9,
    "GFLOP, more than ERM (%)": more(cost.flops, plain.flops),
    "HBM moved (GB)": cost.hbm / 1e9,
    "HBM, more than ERM (%)": more(cost.hbm, plain.hbm),
    "HBM at least (GB)": cost.least / 1e9,
    "on-chip memory moved (GB)": sum(cost.moved.get(hlo.ON_CHIP, ())) / 1e9,
    "FLOP (ms)": 1e3 * times.flops,
    "HBM (ms)": 1e3 * times.hbm,
    "collectives (ms)": 1e3 * times.links,
  }
  if pod.slices > 1:
    numbers["between slices (ms)"] = 1e3 * times.network
  numbers["step at least (ms)"] = 1e3 * times.least
  for label, (number, size) in collectives.total(cost.collectives).items():
    kind, between, _ = label.partition(collectives.BETWEEN)
    name = f"{kind}s{between}"
    numbers |= {name: float(number), f"{name} (MB)": size / 1e6}
  return numbers
