"""Tests of payloads, which name their method by label and key."""

from typing import get_args, get_type_hints

from mixup_jax.results import payloads


def test_result_requires_rows_alone():
  assert payloads.Result.__required_keys__ == {"rows"}
  assert set(get_type_hints(payloads.Layout)) == {"lines", "columns", "metrics"}


def test_payloads_of_a_method_require_its_key():
  kinds = [
    kind
    for kind in vars(payloads).values()
    if getattr(kind, "__module__", None) == payloads.__name__
    and "method" in get_type_hints(kind)
  ]
  assert payloads.Curve in kinds and len(kinds) >= 6
  for kind in kinds:
    assert {"setting", "method", "key"} <= kind.__required_keys__


def test_dimensions_are_keys_of_rows():
  assert set(get_args(payloads.Dimension)) <= set(get_type_hints(payloads.Row))
