"""Tests of the argument behind a config file."""

import pytest

from configs import arguments

DEFAULTS = {"dataset": "iris", "seeds": 50, "rate": 0.1, "smoke": False}


def test_parse_converts_values_to_the_types_of_the_defaults():
  parsed = arguments.parse("dataset=htru2,seeds=3,rate=1e-2,smoke", **DEFAULTS)
  assert parsed == {"dataset": "htru2", "seeds": 3, "rate": 0.01, "smoke": True}
  assert arguments.parse("", **DEFAULTS) == DEFAULTS
  assert not arguments.parse("smoke=false", **DEFAULTS)["smoke"]


@pytest.mark.parametrize(
  "argument, message",
  [
    ("sedes=3", "'sedes': did you mean 'seeds'.*dataset, seeds, rate, smoke"),
    ("xyz", "unknown config argument 'xyz': there is no such key"),
    ("seeds=many", "seeds='many' is not of type int"),
    ("seeds", "seeds='' is not of type int"),
    ("smoke=maybe", "smoke='maybe' is not of type bool"),
  ],
)
def test_parse_refuses_wrong_arguments(argument, message):
  with pytest.raises(ValueError, match=message):
    arguments.parse(argument, **DEFAULTS)
