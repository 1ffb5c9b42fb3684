"""Tests of the list of differences between processes."""

from mixup_jax.runtime import distributed


def report(hosts, fields):
  return [(f"host{index}", fields) for index in hosts]


def test_differences_of_equal_reports_are_empty():
  fields = {"jax": "0.10", "config.model": {"name": "mlp"}, "config.alphas": []}
  assert distributed.differences(report(range(64), fields)) == ""
  assert distributed.differences(report([0], fields)) == ""


def test_differences_have_values_and_processes():
  fields = {"jax": "0.10", "config.seeds": 3, "python": "3.11"}
  reports = report([0], fields) + report([1], fields | {"config.seeds": 5})
  assert distributed.differences(reports) == (
    "  config.seeds: 3 on process 0 (host0), 5 on process 1 (host1)"
  )


def test_differences_start_with_the_rarest_value_and_count_the_rest():
  reports = report(range(64), {"libtpu": "0.0.30"})
  reports[7] = ("host7", {"libtpu": "0.0.29"})
  assert distributed.differences(reports) == (
    '  libtpu: "0.0.29" on process 7 (host7), "0.0.30" on process 0 (host0) '
    "and process 1 (host1) and process 2 (host2) and 60 more"
  )


def test_differences_name_missing_fields():
  reports = report([0], {}) + report([1], {"experiments/mine.py": "ab12"})
  assert distributed.differences(reports) == (
    "  experiments/mine.py: nothing on process 0 (host0), "
    '"ab12" on process 1 (host1)'
  )


def test_differences_compare_values_as_json():
  reports = report([0], {"alphas": (0.1, 0.2), "loss": float("nan")})
  reports += report([1], {"alphas": [0.1, 0.2], "loss": float("nan")})
  assert distributed.differences(reports) == ""
  reports += report([2], {"alphas": [0.1, 0.2], "loss": 0})
  assert distributed.differences(reports).count("\n") == 0


def test_differences_are_at_most_ten():
  there = {f"file{index}.py": "old" for index in range(100)}
  lines = distributed.differences(
    report([0], there) + report([1], dict.fromkeys(there, "new"))
  )
  assert lines.count("\n") == 10 and lines.endswith("\n  and 90 more")
