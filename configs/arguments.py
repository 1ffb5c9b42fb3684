"""The argument behind a config file: `--config=configs/x.py:key=value,flag`."""

import difflib
from typing import Any


def parse(argument: str, **defaults: Any) -> dict[str, Any]:
  """Parses "key=value,flag" into the types of the defaults.

  Args:
    argument: Pairs separated by commas; a bare key is a flag that is turned on.
    **defaults: Every key that is known, with its value if it is not given.

  Returns:
    The defaults with the given values in their places.

  Raises:
    ValueError: If a key is unknown or a value has the wrong type.
  """
  values = dict(defaults)
  for pair in filter(None, argument.split(",")):
    name, _, text = pair.partition("=")
    if name not in defaults:
      close = difflib.get_close_matches(name, defaults, n=1)
      hint = f"did you mean {close[0]!r}?" if close else "there is no such key;"
      raise ValueError(
        f"unknown config argument {name!r}: {hint} Known are "
        f"{', '.join(defaults)}."
      )
    values[name] = _convert(name, text, type(defaults[name]))
  return values


def _convert(name: str, text: str, kind: type) -> Any:
  """Returns the text as a value of the given type."""
  if kind is bool:
    known = {"": True, "true": True, "false": False}
    if text.lower() in known:
      return known[text.lower()]
  else:
    try:
      return kind(text)
    except ValueError:
      pass
  raise ValueError(
    f"config argument {name}={text!r} is not of type {kind.__name__}."
  )
