"""Tests that the losses of the problem are those that theory gives."""

from tests.interop import problem


def test_losses_by_hand_reach_the_entropy_of_the_labels():
  found = problem.by_hand(problem.keys(steps=600))
  assert found[0] > 0.8
  assert abs(found[-300:].mean() - problem.LEAST_LOSS) < 0.005
