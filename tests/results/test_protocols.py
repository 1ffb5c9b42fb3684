"""Tests of maps of protocols, by hand."""

import numpy as np
import pytest

from mixup_jax import results
from mixup_jax.results import protocols

METHODS = [results.ERM, results.Method("mixup", "mixup, alpha 0.2", 0.2)]
PAPER = {"a": (10.0, 8.0), "b": (50.0, 40.0), "not run": (1.0, 1.0)}


def errors(*columns, overlap=0.0):
  """Makes errors of a list of values for each method."""
  return protocols.Errors(np.array(columns, float).T, overlap)


NEAR = {"a": errors([10, 12], [9, 7]), "b": errors([53, 53], [44, 44])}
FAR = {"a": errors([20, 22], [30, 34]), "b": errors([50, 50], [40, 40])}


def test_distances_are_root_mean_squares_over_shared_sets():
  # Gaps: 1 and 0 on a, 3 and 4 on b; c is not of the paper.
  found = protocols.distances({**NEAR, "c": errors([0], [0])}, PAPER)
  np.testing.assert_allclose(found, [(26 / 4) ** 0.5])


def test_distances_are_of_each_method():
  each = errors([10, 10], [8, 8], [6, 6])
  np.testing.assert_allclose(
    protocols.distances({"a": each}, PAPER), [0, 2**0.5]
  )


def test_distances_refuse_sets_that_the_paper_lacks():
  with pytest.raises(ValueError, match="no number of c: a map needs one of a"):
    protocols.distances({"c": errors([0], [0])}, PAPER)


def test_closest_returns_protocols_in_order_with_their_method():
  two = {"a": errors([10, 10], [28, 28], [8, 8])}
  assert protocols.closest({"x": FAR, "y": NEAR}, PAPER, 2) == {"y": 1, "x": 1}
  assert protocols.closest({"x": FAR, "z": two}, PAPER, 1) == {"z": 2}


def test_heat_maps_are_of_distances_and_of_differences_with_p_values():
  found = {"x": NEAR, "y": FAR}
  first, second = protocols.heat_maps(found, PAPER, METHODS)
  assert first["lines"] == second["lines"] == ["x", "y"]
  assert first["columns"] == [0.2] and second["columns"] == ["a", "b"]
  distances = [protocols.distances(each, PAPER) for each in found.values()]
  np.testing.assert_allclose(first["values"], distances, atol=0.005)
  assert second["values"] == [[-3, -9], [11, -10]]
  # -1 and -5; -9 twice; 10 and 12; -10 twice.
  expected = results.paired_t_test([-1, -5])
  assert second["p"][0] == [pytest.approx(expected, rel=1e-2), 0]
  assert second["setting"] == (
    "p < 0.05: 2 lower, 0 higher\n(0.1 each by chance)"
  )


def test_heat_maps_correct_p_values_for_overlapping_splits():
  values = [10, 11, 12], [11, 12.5, 13]
  for overlap in (0.0, 1.0):
    found = {"x": {"a": errors(*values, overlap=overlap)}}
    *_, second = protocols.heat_maps(found, PAPER, METHODS)
    expected = results.paired_t_test([1, 1.5, 1], overlap=overlap)
    assert second["p"] == [[pytest.approx(expected, rel=1e-2)]]


def test_heat_maps_round_values_of_any_precision():
  each = protocols.Errors(np.array([[0, 1.05], [0, 1.05]], np.float32))
  *_, second = protocols.heat_maps({"x": {"a": each}}, PAPER, METHODS)
  assert second["values"] == [[1.05]]
