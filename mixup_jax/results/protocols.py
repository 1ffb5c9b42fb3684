"""Maps of protocols: how far each is from a paper's numbers, and what it shows.

A paper that leaves its protocol open can be compared with many. Each has the
errors of ERM and of other methods on several sets.
"""

from typing import Mapping, NamedTuple, Sequence

import numpy as np

from mixup_jax.results.payloads import HeatMap
from mixup_jax.results.rows import Method
from mixup_jax.results.rows import paired_t_test

LEVEL = 0.05  # Differences with a smaller p-value are counted.


class Errors(NamedTuple):
  """Errors on a set under a protocol.

  Attributes:
    values: `[seeds, methods]`, in per cent; the first method is ERM.
    overlap: As in `rows.summarize`.
  """

  values: np.ndarray
  overlap: float = 0.0


def distances(
  errors: Mapping[str, Errors], paper: Mapping[str, Sequence[float]]
) -> list[float]:
  """Returns how far a protocol is from the paper, in percentage points.

  The distance is the root mean square of our means minus the paper's numbers,
  over the sets that both have, and over ERM and a method on each.

  Args:
    errors: Those of each set.
    paper: The paper's error of ERM and of its method on each set.

  Returns:
    The distance of each method but ERM.

  Raises:
    ValueError: If the paper has none of the sets.
  """
  shared = [name for name in errors if name in paper]
  if not shared:
    raise ValueError(
      f"the paper has no number of {', '.join(errors)}: a map needs one of "
      f"{', '.join(paper)}."
    )
  means = np.stack([errors[name].values.mean(0) for name in shared])
  numbers = np.array([paper[name] for name in shared])
  squares = (means[:, :1] - numbers[:, :1]) ** 2
  squares = (squares + (means[:, 1:] - numbers[:, 1:]) ** 2) / 2
  return [float(each) for each in np.sqrt(squares.mean(0))]


def closest(
  errors: Mapping[str, Mapping[str, Errors]],
  paper: Mapping[str, Sequence[float]],
  count: int,
) -> dict[str, int]:
  """Returns the protocols of the least distance at any of their methods.

  Args:
    errors: Those of each protocol and set.
    paper: As in `distances`.
    count: How many protocols to return.

  Returns:
    The place of that method among the methods, by protocol, the closest first.
  """
  found = {name: distances(each, paper) for name, each in errors.items()}
  names = sorted(found, key=lambda name: min(found[name]))
  return {name: 1 + int(np.argmin(found[name])) for name in names[:count]}


def heat_maps(
  errors: Mapping[str, Mapping[str, Errors]],
  paper: Mapping[str, Sequence[float]],
  methods: Sequence[Method],
) -> list[HeatMap]:
  """Returns a map of distances, then one of differences to ERM for each method.

  Args:
    errors: Those of each protocol and set.
    paper: As in `distances`.
    methods: ERM, and the others.

  Returns:
    The maps, with a line for each protocol.
  """
  found = [distances(each, paper) for each in errors.values()]
  first = HeatMap(
    setting="root mean square",
    method="distance to the paper",
    key=methods[1].key,
    metric="distance (points)",
    x="alpha",
    y="",
    columns=[method.alpha for method in methods[1:]],
    lines=list(errors),
    values=np.round(found, 2).tolist(),
    limits=[float(np.floor(np.min(found))), float(np.ceil(np.max(found)))],
  )
  return [first] + [
    _differences(errors, place, method)
    for place, method in enumerate(methods)
    if place
  ]


def _differences(
  errors: Mapping[str, Mapping[str, Errors]], place: int, method: Method
) -> HeatMap:
  """Returns the map of one method, with what chance alone would give."""
  paired = [
    [
      (each.values[:, place] - each.values[:, 0], each.overlap)
      for each in found
    ]
    for found in (sets.values() for sets in errors.values())
  ]
  means = np.array(
    [[np.mean(x, dtype=float) for x, _ in line] for line in paired]
  )
  p = np.array(
    [
      [paired_t_test(x, overlap=overlap) for x, overlap in line]
      for line in paired
    ]
  )
  lower, higher = (
    int(((p < LEVEL) & side).sum()) for side in (means < 0, means > 0)
  )
  return HeatMap(
    setting=(
      f"p < {LEVEL:g}: {lower} lower, {higher} higher\n"
      f"({LEVEL / 2 * p.size:.1f} each by chance)"
    ),
    method=method.label,
    key=method.key,
    metric="error minus that of ERM (points)",
    x="",
    y="",
    columns=list(next(iter(errors.values()))),
    lines=list(errors),
    values=np.round(means, 2).tolist(),
    limits=[-10, 10],
    p=[[float(f"{x:.3g}") for x in line] for line in p],
  )
