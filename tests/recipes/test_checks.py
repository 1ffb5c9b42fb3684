"""Tests of the checks of a config: what they accept, and their errors."""

import pytest

from mixup_jax.recipes import checks


def test_at_least_names_the_field_and_its_lowest_value():
  checks.at_least({"seeds": 1, "epochs": 3}, seeds=1, epochs=1)
  with pytest.raises(
    ValueError, match="config.seeds must be at least 1, got 0"
  ):
    checks.at_least({"seeds": 0}, seeds=1)
  with pytest.raises(ValueError, match="config.rings.seeds must be at least 1"):
    checks.at_least({"seeds": 0}, prefix="config.rings", seeds=1)


def test_at_least_refuses_nan():
  with pytest.raises(
    ValueError, match="config.rate must be at least 0, got nan"
  ):
    checks.at_least({"rate": float("nan")}, rate=0)


@pytest.mark.parametrize("values", ((), ("a", "b", "a")))
def test_each_once_refuses_none_and_twins(values):
  checks.each_once({"names": ("a", "b")}, "names")
  with pytest.raises(ValueError, match="config.names=.* each once"):
    checks.each_once({"names": values}, "names")


@pytest.mark.parametrize("value", (4, 12))
def test_shared_by_devices_names_the_multiple(value):
  message = f"config.batch_size={value} cannot be shared by 8 devices: use a "
  with pytest.raises(ValueError, match=message + "multiple of 8"):
    checks.shared_by_devices({"batch_size": value}, "batch_size")


def test_shared_by_devices_counts_the_steps_of_an_update():
  config = {"batch_size": 24}
  checks.shared_by_devices(config, "batch_size", accumulation=3)
  with pytest.raises(
    ValueError, match="2 devices and 8 steps: use a multiple of 16"
  ):
    checks.shared_by_devices(config, "batch_size", accumulation=8, size=2)


def test_choice_names_what_is_known():
  checks.choice("part", "rings", ("rings", "pairs"))
  with pytest.raises(
    ValueError, match="unknown part 'ring': choose one of rings"
  ):
    checks.choice("part", "ring", ("rings", "pairs"))
