"""Decodes text files of others."""

import os


def decode(data: bytes, path: str | os.PathLike[str]) -> str:
  """Decodes UTF-8, with or without a byte-order mark.

  Args:
    data: The bytes of a file.
    path: What to call the file in an error.

  Returns:
    The text.

  Raises:
    ValueError: If it is something else; it names file and line.
  """
  try:
    return data.decode("utf-8-sig")
  except UnicodeDecodeError as error:
    kind = "UTF-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "no UTF-8"
    line = data.count(b"\n", 0, error.start) + 1
    raise ValueError(
      f"{os.fspath(path)}, line {line}: the text is {kind}: convert the file "
      "to UTF-8, or fetch it again."
    ) from error
