"""Proves that what a result may hold is what figures and reports read."""

from typing import get_type_hints

from mixup_jax.results import payloads


def test_result_requires_rows_alone():
  assert payloads.Result.__required_keys__ == {"rows"}
  assert set(get_type_hints(payloads.Layout)) == {"lines", "columns", "metrics"}
