"""Tests of the command line of the benchmark; test_main has what it refuses."""

import pytest

from experiments.benchmark import options


@pytest.mark.parametrize("part", ["scale", "startup", "speech"])
def test_parse_writes_a_result_of_rounds_where_there_is_one(part):
  given, more = options.parse([part, "--rounds=3", "--workdir=RUN"])
  assert (given.part, given.rounds, given.workdir, more) == (part, 3, "RUN", [])
  assert hasattr(given, "clock") == (part == "speech")


def test_parse_keeps_for_compare_what_its_part_takes():
  given, more = options.parse(["compare", "main", "--part=gan", "--seeds=2"])
  assert (given.base, given.of, given.rounds) == ("main", "gan", 6)
  assert more == ["--seeds=2"]
