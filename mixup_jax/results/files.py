"""Text files that are strict JSON, and replaced in one step."""

import json
import math
from typing import Any, Mapping
import zlib

from mixup_jax.runtime import storage

_CRC32 = "crc32"


def to_json(content: Any, *, indent: int | None = None) -> str:
  """Returns strict JSON, which has no word for NaN and infinities: null."""

  def finite(value: Any) -> Any:
    if isinstance(value, Mapping):
      return {key: finite(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
      return [finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
      return None
    return value

  return json.dumps(finite(content), indent=indent, allow_nan=False)


def replace(path: storage.Path, text: str) -> None:
  """Writes a text file in one step: readers never see half of it."""
  text = text and text.removesuffix("\n") + "\n"
  storage.replace(path, text.encode())


def write_checked(path: storage.Path, content: Mapping[str, Any]) -> None:
  """Writes a JSON file that `read_checked` reads, with its own CRC-32."""
  sealed = {**content, _CRC32: zlib.crc32(to_json(content).encode())}
  replace(path, to_json(sealed))


def read_checked(path: storage.Path) -> dict[str, Any]:
  """Reads a file that `write_checked` wrote; a NaN is None.

  Args:
    path: The file.

  Returns:
    Its content.

  Raises:
    OSError: If it cannot be read, or is damaged.
  """
  try:
    content = json.loads(path.read_text(encoding="utf-8"))
    intact = content.pop(_CRC32) == zlib.crc32(to_json(content).encode())
  except (ValueError, LookupError, TypeError, AttributeError):
    intact = False
  if not intact:
    raise OSError(
      f"{path} is damaged, its checksum does not match: put a copy of it "
      "there, or delete it to compute it again."
    )
  return content
