"""The lines of `metrics.jsonl`, each with a checksum of all up to it.

    {"step": 1, "loss": 0.5, "crc32": 2774353920}

The checksum of a line begins with that of the line before, so a line that is
damaged, missing, repeated or in another place does not fit. The checksum of the
last line identifies all of them: a checkpoint keeps it.
"""

import contextlib
import itertools
import json
import math
from typing import Any, Collection, Mapping
import zlib

from mixup_jax.results import files
from mixup_jax.runtime import storage

Lines = list[dict[str, float]]
FILE = "metrics.jsonl"
_SEAL = ', "crc32": '


def seal(line: Mapping[str, Any], crc32: int) -> tuple[str, int]:
  """Returns a line as text, and its checksum, from that of the line before."""
  text = files.to_json(line)[:-1]
  crc32 = zlib.crc32(text.encode(), crc32)
  return f"{text}{_SEAL}{crc32}}}\n", crc32


def last_epoch(path: storage.Path) -> dict[str, float] | None:
  """Reads the line of the last epoch that was measured, and checks no other.

  Args:
    path: The file.

  Returns:
    The line, {} if no epoch was; None if there is no such file.
  """
  try:
    texts = path.read_bytes().splitlines()
  except FileNotFoundError:
    return None
  for text in reversed(texts):
    with contextlib.suppress(ValueError, TypeError):  # Damaged.
      line = json.loads(text)
      if "epoch" in line:
        return line
  return {}


def read(
  path: storage.Path,
  *,
  step: int,
  eval_steps: Collection[int],
  crc32: int | None,
) -> Lines:
  """Reads the lines that a checkpoint belongs to; null is NaN.

  Lines behind them, of steps after the last checkpoint, are left out. The file
  is not changed.

  Args:
    path: The file.
    step: The step of the checkpoint; 0 if there is none.
    eval_steps: The steps that are evaluated, and have a second line.
    crc32: The checksum that the checkpoint keeps; None if it has none.

  Returns:
    The lines.

  Raises:
    OSError: If a line is damaged or missing, or the lines are not those that
      the checkpoint was saved with; it names file, line and remedy.
  """
  if not step:
    return []

  def refusal(reason: str) -> OSError:
    return OSError(
      f"{path} does not fit the checkpoint of step {step}: {reason}. Put a "
      f"copy of the file there, or delete {path.parent} to train from step 0."
    )

  if crc32 is None:
    raise refusal("the checkpoint is of a version that kept no checksum of it")
  try:
    texts = path.read_bytes().split(b"\n")
  except FileNotFoundError:
    raise refusal("there is no such file") from None
  if not texts[-1]:
    texts.pop()  # Behind the last end of a line.
  lines: Lines = []
  found = 0
  for number, text in enumerate(texts, start=1):
    body, _, end = text.rpartition(_SEAL.encode())
    found = zlib.crc32(body, found)
    if end != b"%d}" % found:
      raise refusal(f"line {number} is damaged, or lines are missing before it")
    values = json.loads(body + b"}")
    lines.append({k: math.nan if x is None else x for k, x in values.items()})
    if found == crc32:
      break
  else:
    raise refusal(
      f"it ends with line {len(lines)}, and lines are missing, or all are of "
      "another run"
    )
  misplaced = _first_misplaced(lines, step, eval_steps)
  if misplaced:
    raise refusal(
      f"line {misplaced} is of another step than expected, so the training set "
      "has another size now"
    )
  return lines


def _first_misplaced(
  lines: Lines, last_step: int, eval_steps: Collection[int]
) -> int | None:
  """Returns the number of the first line that is not the expected one.

  Each step has a line, and each evaluation one behind that of its step.
  """
  expected = []
  for step in range(1, last_step + 1):
    expected.append((step, False))
    if step in eval_steps:
      expected.append((step, True))
  found = [(line["step"], "epoch" in line) for line in lines]
  pairs = itertools.zip_longest(expected, found)
  return next((i for i, (a, b) in enumerate(pairs, 1) if a != b), None)
