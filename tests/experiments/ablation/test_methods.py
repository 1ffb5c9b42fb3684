"""Proves that each row of the table is what the paper says it is."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from experiments.ablation import methods
from mixup_jax import transforms


def batch(getkey, size=32):
  return (
    jax.random.normal(getkey(), (size, 4, 4, 3)),
    jax.random.randint(getkey(), (size,), 0, 10),
  )


def test_the_table_is_that_of_the_paper():
  papers = {name: m for name, m in methods.METHODS.items() if m.paper}
  assert len(papers) == 22
  assert papers["erm"].paper == (5.53, 5.18)
  assert papers["mixup_ac_rp"].paper == (4.24, 4.68)
  assert papers["noise_0.2"].paper == (7.16, 7.24)
  assert round(sum(sum(m.paper) for m in papers.values()), 2) == 234.08
  assert sum(m.unverified for m in papers.values()) == 14
  names = [method.name for method in methods.METHODS.values()]
  assert len(set(names)) == len(names) == 26
  for method in set(methods.METHODS.values()) - set(papers.values()):
    assert not method.unverified


@pytest.mark.parametrize("name", methods.METHODS)
def test_every_row_takes_a_batch_with_padding(getkey, name):
  """As the last batch of an epoch is, and with partners from elsewhere."""
  method = methods.METHODS[name]
  inputs, labels = batch(getkey)
  where = jnp.arange(32) < 20
  inputs = jnp.where(where[:, None, None, None], inputs, jnp.nan)
  if method.layers:
    hook, targets = transforms.manifold(
      getkey(), labels, alpha=1.0, layers=method.layers, where=where
    )
    mixed = inputs
    for depth in range(6):
      mixed = hook(depth, mixed)
  elif method.make is None:
    assert name == "erm"
    return
  elif method.neighbors:
    inputs = jnp.where(jnp.isnan(inputs), 0, inputs)
    mixed, targets = transforms.paired(
      getkey(), inputs, labels, transform=method.make(1.0, 10), where=where[::2]
    )
    inputs, where = inputs[::2], where[::2]
  else:
    mixed, targets = method.make(1.0, 10)(getkey(), inputs, labels, where=where)
  valid = np.asarray(mixed)[np.asarray(where)]
  assert np.isfinite(valid).all()  # Nothing of the padding is in it.
  changed = (valid != np.asarray(inputs)[np.asarray(where)]).any()
  assert changed == ("smoothing" not in name or "inputs" in name)
  is_hard = getattr(targets, "dtype", None) == jnp.int32
  assert is_hard == (
    name in ("inputs_sc_rp", "inputs_ac_rp", "inputs_sc_knn", "inputs_ac_knn")
    or "noise" in name
  )


def test_smoothed_labels_are_those_of_the_paper(getkey):
  inputs, labels = batch(getkey)
  smooth = methods.METHODS["smoothing_0.2"].make(1.0, 10)
  _, targets = smooth(getkey(), inputs, labels)
  right = jnp.take_along_axis(targets, labels[:, None], axis=1)
  np.testing.assert_allclose(right, 1 - 9 * 0.02, rtol=1e-6)
  np.testing.assert_allclose(jnp.sort(targets)[:, :9], 0.02, rtol=1e-6)


def test_partners_of_the_same_class_keep_the_labels(getkey):
  inputs, labels = batch(getkey)
  inputs = jnp.zeros_like(inputs) + labels[:, None, None, None].astype(
    jnp.float32
  )
  transform = methods.METHODS["inputs_sc_rp"].make(1.0, 10)
  for key in jax.random.split(getkey(), 3):
    mixed, targets = transform(key, inputs, labels)
    np.testing.assert_array_equal(targets, labels)
    np.testing.assert_allclose(mixed, inputs, rtol=1e-6)
  # Where the images of a class differ they are mixed.
  inputs += jnp.arange(32.0)[:, None, None, None]
  mixed, _ = transform(getkey(), inputs, labels)
  assert (mixed != inputs).any()


def test_rows_are_chosen_by_name():
  every = methods.choose(("all",), stages=4)
  assert every == methods.METHODS
  two = methods.choose(("layer_3", "erm", "erm"), stages=2)
  assert list(two) == ["layer_3", "erm"]


@pytest.mark.parametrize(
  "names, stages, message",
  [
    (("mixup_ac_pr",), 4, "'mixup_ac_pr'. Did you mean 'mixup_ac_rp'.*erm, "),
    (("layer_5",), 3, "layer_5 mixes at depth 5, but a network of 3 stages"),
    (("all",), 3, "one number for each of 4 stages"),
    (("erm", "all"), 4, "unknown row 'all'"),
  ],
)
def test_what_there_is_not_is_refused(names, stages, message):
  with pytest.raises(ValueError, match=message):
    methods.choose(names, stages=stages)
