"""Properties of every transform, of random batches, dtypes, masks and keys.

Row i has the class i, so that soft labels are the weights that an example gives
to each row of its batch. Compilation takes nearly all of the time: each case
has one shape, and what is drawn are keys, masks and values.
"""

import functools
import math
from typing import Any, NamedTuple

import chex
import hypothesis
from hypothesis import strategies as st
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms
from tests import every_transform
from tests.every_transform import row_an_example

CLASSES = every_transform.CLASSES
F16, F32, BF16 = jnp.float16, jnp.float32, jnp.bfloat16

TRANSFORMS = every_transform.TRANSFORMS | {
  f"{name}, rolled": functools.partial(
    every_transform.TRANSFORMS[name],
    partner=every_transform.TRANSFORMS["mixup, rolled"].keywords["partner"],
  )
  for name in ("cutmix", "resizemix", "fmix")
}


class Case(NamedTuple):
  """A transform, and what it takes.

  Attributes:
    name: The transform's.
    size: The number of examples, at most one a class.
    inputs: Pairs of the shape of an example and a dtype.
    targets: Dtypes of class ids, and of vectors of one number a class.
    masked: Whether `where` is given.
    has_map: Whether the last of the targets is a map of row numbers.
  """

  name: str
  size: int
  inputs: tuple[tuple[tuple[int, ...], Any], ...]
  targets: tuple[Any, ...] = (jnp.int32, F32)
  masked: bool = True
  has_map: bool = False

  def __str__(self):
    first, *others = ("x".join(map(str, shape)) for shape, _ in self.inputs)
    mask = "masked" if self.masked else "whole"
    return (
      f"{self.name}, {mask}, {self.size} of {'a tree' if others else first}"
    )


def mixes(name, size, targets=(jnp.int32, F32), **options):
  """Returns a case of inputs of every rank and float dtype at once."""
  inputs = (
    ((), F32),
    ((1, 1), F16),
    ((4,), F32),
    ((3, 1, 2), BF16),
    ((2, 3, 1, 2), F32),
  )
  return Case(name, size, inputs, targets, **options)


def pastes(name, size, shape, dtype, *targets, **options):
  """Returns a case of images, with maps of labels."""
  options = {"has_map": True} | options
  return Case(
    name, size, ((shape, dtype),), targets or (jnp.int32, F32), **options
  )


BLENDED = (
  mixes("mixup", 2, (jnp.uint8, F32, F16, jnp.int8), masked=False),
  mixes("mixup", 5, (jnp.int16, F32, BF16, jnp.uint32)),
  mixes("mixup, all options", 4),
  mixes("mixup, rolled", 5),
  mixes("regmixup", 3),
  mixes("manifold", 4, (jnp.uint8, F32, F16)),
  mixes("latent", 2),
  mixes("a plain function", 5, (jnp.int8,)),
)
PASTED = (
  pastes("cutmix", 2, (7,), jnp.uint8, jnp.uint8, F16, masked=False),
  pastes("cutmix, per example", 5, (1, 1), F16, jnp.int8, F32),
  pastes("cutmix, rolled", 3, (3, 2, 2, 2), BF16),
  pastes("resizemix", 5, (5, 4, 1), BF16, masked=False),
  pastes("resizemix, per example", 3, (9,), F32, jnp.uint16, BF16),
  pastes("resizemix, rolled", 5, (3, 3), jnp.uint8),
  pastes("fmix", 4, (1, 5, 1), BF16),
  pastes("fmix, per example", 3, (3, 2, 1, 2), jnp.int16, jnp.uint8, F32),
  pastes("fmix, rolled", 2, (1, 1), F32),
)
EITHER = (pastes("switch", 4, (3, 4), F32, has_map=False),)
NEARER = (mixes("inputs_only", 5, (jnp.int8, F32, BF16)),)
SMOOTHED = (
  mixes("inputs_with_smoothing", 4, (jnp.uint8,)),
  mixes("label_smoothing", 3, (F32,)),
)
NOISY = (mixes("gaussian_noise", 3, (jnp.int32, F16)),)
CASES = (*BLENDED, *PASTED, *EITHER, *NEARER, *SMOOTHED, *NOISY)
# What is 0 for the identity, whatever lambda is drawn.
STRENGTHS = ("alpha", "sigma", "epsilon", "scale")


@functools.cache
def compiled(name):
  """Returns a transform with its strength as an argument, under `jit`."""
  transform = TRANSFORMS[name]
  given = getattr(transform, "keywords", {})
  given = {k: given[k] for k in STRENGTHS if k in given}
  transform = transforms.as_transform(transform)

  @jax.jit
  def run(key, inputs, targets, where, enabled, strength):
    options = jax.tree.map(lambda x: strength * x, given)
    inputs, targets = row_an_example(
      *transform(key, inputs, targets, where=where, enabled=enabled, **options)
    )
    if isinstance(inputs, transforms.HiddenMix):
      inputs = inputs.hook(0, inputs.inputs)
    is_mixed = functools.partial(
      jax.tree.map, is_leaf=lambda x: isinstance(x, transforms.MixedLabels)
    )

    def soft(x):
      if isinstance(x, transforms.MixedLabels):
        return x.soft(CLASSES)
      is_id = jnp.issubdtype(x.dtype, jnp.integer) and x.ndim == 1
      return transforms.one_hot(x, CLASSES) if is_id else x

    return inputs, is_mixed(soft, targets)

  return run


class Drawn(NamedTuple):
  """A case, the seed of its key and values, and a mask, cut to its size."""

  case: Case
  seed: int
  mask: list[bool]

  @property
  def valid(self):
    return np.array(self.mask[: self.case.size]) | (not self.case.masked)

  def batch(self, *, padding=None):
    """Returns inputs and targets, with NaN or no class in rows of padding."""
    rng = np.random.default_rng(self.seed)
    size, is_tree = self.case.size, len(self.case.inputs) > 1

    def pad(x, dtype):
      x = np.array(x).astype(dtype)
      if padding == "bad":
        is_float = jnp.issubdtype(dtype, jnp.inexact)
        x[~self.valid] = jnp.nan if is_float else jnp.iinfo(dtype).max
      return jnp.asarray(x)

    def make(shape, dtype):
      # Pixels of images are numbered, to at most 256, so that what is pasted is
      # known; leaves of trees are random.
      values = np.arange(size * math.prod(shape))
      values = rng.normal(size=values.shape) if is_tree else values
      return pad(values.reshape(size, *shape), dtype)

    def make_target(dtype):
      is_id = jnp.issubdtype(dtype, jnp.integer)
      return pad(np.arange(size) if is_id else np.eye(size, CLASSES), dtype)

    inputs = [make(*leaf) for leaf in self.case.inputs]
    targets = [make_target(dtype) for dtype in self.case.targets]
    if self.case.has_map:
      (image,) = inputs
      rows = np.arange(size).reshape(size, *(1,) * (image.ndim - 1))
      targets.append(pad(np.broadcast_to(rows, image.shape), jnp.int16))
    return tuple(x if len(x) > 1 else x[0] for x in (inputs, targets))

  def apply(self, *, padding=None, enabled=True, strength=1.0):
    """Returns the valid rows of what the transform makes of the batch."""
    where = jnp.asarray(self.valid) if self.case.masked else None
    with jax.debug_key_reuse(False):  # The same key for two kinds of padding.
      made = compiled(self.case.name)(
        jax.random.key(self.seed),
        *self.batch(padding=padding),
        where,
        enabled,
        strength,
      )
    return jax.tree.map(lambda x: np.asarray(x)[self.valid], made)

  def weights(self, targets, *, strength=1.0):
    """Returns `[valid, size]` weights of the rows of the batch, a leaf."""
    leaves = jax.tree.leaves(targets)
    leaves = leaves[:-1] if self.case.has_map else leaves
    leaves = [x.astype(np.float64) for x in leaves]
    if self.case in SMOOTHED:
      epsilon = strength * TRANSFORMS[self.case.name].keywords["epsilon"]
      leaves = [(x - epsilon / CLASSES) / (1 - epsilon) for x in leaves]
    for x in leaves:
      np.testing.assert_allclose(x[:, self.case.size :], 0, atol=1e-6)
    return [x[:, : self.case.size] for x in leaves]


def each(cases):
  return pytest.mark.parametrize("case", cases, ids=str)


drawn = hypothesis.given(
  seed=st.integers(0, 2**32 - 1),
  mask=st.lists(st.booleans(), min_size=CLASSES, max_size=CLASSES),
)


def test_every_transform_has_a_case():
  """But for other uses of plain functions, whose adapter is the same."""
  left_out = {"a plain function, soft", "switch of plain functions"}
  assert {case.name for case in CASES} == set(TRANSFORMS) - left_out


@each(CASES)
@hypothesis.settings(max_examples=10)
@drawn
def test_transform_gives_labels_of_two_valid_rows_a_total_weight_of_1(
  case, seed, mask
):
  batch = Drawn(case, seed, mask)
  _, targets = batch.apply(padding="bad")
  rows = np.flatnonzero(batch.valid)
  for weights, dtype in zip(batch.weights(targets), batch.case.targets):
    is_float = jnp.issubdtype(dtype, jnp.inexact)
    atol = float(jnp.finfo(dtype if is_float else F32).eps)
    assert np.isfinite(weights).all() and (weights >= -atol).all()
    np.testing.assert_allclose(weights.sum(1), 1, atol=atol)
    others = np.where(np.arange(batch.case.size) == rows[:, None], 0, weights)
    np.testing.assert_allclose(others.max(1), others.sum(1), atol=atol)
    np.testing.assert_allclose(others[:, ~batch.valid], 0, atol=atol)


def flat(x):
  """Returns `[rows, n]`, also of no rows."""
  return x.reshape(len(x), math.prod(x.shape[1:]))


def is_blend(inputs, given, weights):
  """Returns `[valid]` booleans, whether inputs are weighted as labels are."""
  is_close = np.ones(len(weights), bool)
  for made, x in zip(jax.tree.leaves(inputs), jax.tree.leaves(given)):
    x = np.asarray(x, np.float64)
    atol = 2 * float(jnp.finfo(made.dtype).eps) * np.abs(x).max()
    gap = np.abs(made - np.tensordot(weights, x, axes=1))
    is_close &= flat(gap).max(1) <= atol
  return is_close


@each(BLENDED)
@hypothesis.settings(max_examples=10)
@drawn
def test_transform_blends_inputs_with_the_weights_of_labels(case, seed, mask):
  batch = Drawn(case, seed, mask)
  inputs, targets = batch.apply(padding="bad")
  given, _ = batch.batch()
  for made, x in zip(inputs, given):
    chex.assert_type(made, x.dtype)
  weights, *others = batch.weights(targets)
  assert is_blend(inputs, given, weights).all()
  for other in others:
    np.testing.assert_allclose(other, weights, atol=1e-2)


def owners(images, given):
  """Returns the row of the batch that each pixel is from, or between."""
  pixels = given[0].size
  return np.floor((images.astype(np.float64) + 0.25) / pixels).astype(int)


def is_paste(images, given, weights, rows):
  """Returns `[valid]` booleans, whether pixels of two have weights by area."""
  owner = owners(images, given)
  each_pixel = (-1, *(1,) * (images.ndim - 1))
  is_own = owner == rows.reshape(each_pixel)
  own = weights[np.arange(len(rows)), rows]
  others = np.where(np.arange(len(given)) == rows[:, None], 0, weights)
  is_one = is_own | (owner == others.argmax(1).reshape(each_pixel))
  # Of its own partner, ResizeMix shows a smaller copy.
  is_alone = (own > 1 - 1e-6).reshape(each_pixel)
  is_one &= (images == np.asarray(given)[rows]) | ~is_own | is_alone
  share = flat(is_own).mean(1)
  return flat(is_one).all(1) & (np.abs(share - own) < 1e-6)


@each(PASTED)
@hypothesis.settings(max_examples=10)
@drawn
def test_transform_pastes_pixels_of_a_partner_by_the_weight_of_labels(
  case, seed, mask
):
  batch = Drawn(case, seed, mask)
  images, targets = batch.apply(padding="bad")
  given, _ = batch.batch()
  chex.assert_type(images, given.dtype)
  rows = np.flatnonzero(batch.valid)
  assert is_paste(images, given, batch.weights(targets)[0], rows).all()
  owner = owners(images, given)
  chex.assert_trees_all_equal(targets[-1], owner.astype(np.int16))
  if "resize" not in batch.case.name:  # Each from its own place.
    in_place = np.take_along_axis(np.asarray(given), owner, axis=0)
    chex.assert_trees_all_equal(images, in_place)


@each(EITHER)
@hypothesis.settings(max_examples=10)
@drawn
def test_switch_blends_or_pastes_by_the_weight_of_labels(case, seed, mask):
  batch = Drawn(case, seed, mask)
  images, targets = batch.apply(padding="bad")
  given, _ = batch.batch()
  weights, rows = batch.weights(targets)[0], np.flatnonzero(batch.valid)
  assert (
    is_blend(images, given, weights).all()
    or is_paste(images, given, weights, rows).all()
  )


@each(NEARER)
@hypothesis.settings(max_examples=50)
@drawn
def test_inputs_only_gives_the_label_of_the_nearer_of_two(case, seed, mask):
  batch = Drawn(case, seed, mask)
  inputs, targets = batch.apply(padding="bad")
  given, _ = batch.batch()
  weights = batch.weights(targets)[0]
  assert np.isin(weights, (0, 1)).all()
  made, given = (np.asarray(x[2], np.float64) for x in (inputs, given))
  for row, x, label in zip(
    np.flatnonzero(batch.valid), made, weights.argmax(1)
  ):
    pairs = [(label, other) for other in range(len(given))]
    pairs = pairs if row == label else [(label, row)]
    fits = []
    for near, far in pairs:
      way = given[far] - given[near]
      share = (x - given[near]) @ way / max(way @ way, 1e-9)
      gap = np.abs(x - given[near] - share * way).max()
      fits.append(gap < 1e-5 and -1e-5 < share < 0.5 + 1e-5)
    assert any(fits)


@each(CASES)
@hypothesis.settings(max_examples=10)
@drawn
def test_transform_is_the_identity_at_lambda_1_and_if_not_enabled(
  case, seed, mask
):
  batch = Drawn(case, seed, mask)
  given, _ = batch.batch(padding="bad")
  given = jax.tree.map(lambda x: np.asarray(x)[batch.valid], given)
  own = np.eye(batch.case.size)[batch.valid]
  ways = [{"enabled": False}, {"strength": 0.0}]
  if batch.case.name in ("switch", "a plain function"):
    ways.pop()  # Lambda is drawn inside.
  for options in ways:
    inputs, targets = batch.apply(padding="bad", **options)
    chex.assert_trees_all_equal(inputs, given)
    chex.assert_trees_all_equal_dtypes(inputs, given)
    if batch.case.has_map:
      maps = np.flatnonzero(batch.valid).reshape(-1, *(1,) * (given.ndim - 1))
      assert (targets[-1] == maps).all()
    for weights in batch.weights(targets, strength=0.0):
      np.testing.assert_array_equal(weights, own)


@each([case for case in CASES if case.masked])
@hypothesis.settings(max_examples=10)
@drawn
def test_transform_of_a_valid_row_does_not_depend_on_padding(case, seed, mask):
  batch = Drawn(case, seed, mask)
  chex.assert_trees_all_equal(batch.apply(padding="bad"), batch.apply())


@each(
  [
    case
    for case in CASES
    if case.name not in ("gaussian_noise", "label_smoothing")
  ]
)
def test_transform_refuses_a_batch_of_one(case):
  batch = Drawn(case._replace(size=1), 0, [True])
  with pytest.raises(
    ValueError, match="at least two examples, got a batch of 1"
  ):
    batch.apply()


@functools.cache
def of_adjacent_rows():
  return jax.jit(every_transform.PAIRED)


@hypothesis.settings(max_examples=20)
@drawn
def test_paired_blends_each_pair_of_rows_and_no_others(seed, mask):
  """A pair is padded whole, and its NaN reaches no other."""
  rows = np.random.default_rng(seed).normal(size=(2 * len(mask), 2, 1))
  rows[~np.repeat(mask, 2)] = np.nan
  rows = rows.astype(np.float32)
  mixed, (own, other, lam) = jax.device_get(
    of_adjacent_rows()(jax.random.key(seed), rows, np.arange(2 * len(mask)))
  )
  np.testing.assert_array_equal(own, np.arange(0, 2 * len(mask), 2))
  np.testing.assert_array_equal(other, own + 1)
  lam = lam[:, None, None]
  expected = lam * rows[own] + (1 - lam) * rows[other]
  np.testing.assert_allclose(mixed[mask], expected[mask], rtol=1e-5, atol=1e-6)


@functools.cache
def of_pairs():
  """Returns a plan, its union of lists, and the weights of remix."""

  @jax.jit
  def run(key, lists, valid, where, counts):
    mix = transforms.sample_mix(
      key,
      len(where),
      alpha=1.0,
      per_example=True,
      partner=transforms.rolled_partners(len(where)),  # It may be padding.
      where=where,
    )
    labels = transforms.mix_targets(jnp.arange(len(where)), mix)
    return (
      mix,
      *transforms.pair_union(lists, mix, valid=valid),
      transforms.remix_targets(labels, counts).lam,
    )

  return run


@hypothesis.settings(max_examples=20)
@drawn
def test_pair_union_gives_each_list_its_weight(seed, mask):
  rng, where = np.random.default_rng(seed), np.array(mask)
  size, length = len(where), 3
  valid = rng.random((size, length)) < 0.7
  lists = {
    "box": np.where(where, 1.0, np.nan)[:, None, None]
    * np.ones((1, length, 4)),
    "row": np.arange(size, dtype=np.uint8)[:, None]
    * np.ones((1, length), np.uint8),
  }
  lists["box"] = lists["box"].astype(np.float32)
  mix, union, weights, _ = jax.device_get(
    of_pairs()(jax.random.key(seed), lists, valid, where, np.ones(size))
  )
  partner = np.where(mix.lam == 1, np.arange(size), mix.partner)
  expected = np.concatenate([lists["row"], lists["row"][partner]], axis=1)
  np.testing.assert_array_equal(union["row"], expected)
  assert np.isfinite(union["box"][where]).all()
  total = mix.lam * valid.sum(1) + (1 - mix.lam) * valid[mix.partner].sum(1)
  np.testing.assert_allclose(weights.sum(1), total, rtol=1e-6)
  is_padding = ~np.concatenate([valid, valid[mix.partner]], axis=1)
  assert (weights[is_padding] == 0).all() and (weights >= 0).all()


@hypothesis.settings(max_examples=20)
@drawn
def test_remix_targets_never_takes_weight_from_the_rarer_class(seed, mask):
  counts = np.random.default_rng(seed).integers(1, 30, len(mask))
  lists, valid = np.zeros((len(mask), 1)), np.ones((len(mask), 1), bool)
  mix, _, _, lam = jax.device_get(
    of_pairs()(jax.random.key(seed), lists, valid, np.array(mask), counts)
  )
  change = lam - mix.lam
  assert np.where(counts <= counts[mix.partner], change, -change).min() >= 0
  assert ((lam == mix.lam) | (lam == 0) | (lam == 1)).all()
  alike = np.abs(np.log(counts / counts[mix.partner])) < np.log(3)
  np.testing.assert_array_equal(lam[alike], mix.lam[alike])


@functools.cache
def of_partners():
  """Returns ways to choose partners; `assigned_partners` has its own tests."""

  @jax.jit
  def run(key, values, bytes_, labels, where):
    keys = jax.random.split(key, 5)
    return {
      "random": transforms.random_partners(keys[0], len(where)),
      "same class": transforms.same_class_partners(keys[1], labels),
      "different": transforms.different_class_partners(keys[2], labels),
      "nearest": transforms.nearest_partners(keys[3], bytes_, k=2),
      "similar": transforms.similar_target_partners(
        keys[4], values, sigma=0.1, where=where
      ),
    }

  return run


@hypothesis.settings(max_examples=20)
@drawn
def test_partners_are_rows_that_are_not_padding(seed, mask):
  where, rng = np.array([*mask, True]), np.random.default_rng(seed)
  size = len(where)
  values = np.where(where, rng.normal(size=size), np.nan).astype(np.float32)
  labels = rng.integers(0, 3, size)
  bytes_ = rng.integers(0, 256, (size, 2, 2), np.uint8)
  found = jax.device_get(
    of_partners()(jax.random.key(seed), values, bytes_, labels, where)
  )
  for name in ("random", "same class"):
    np.testing.assert_array_equal(np.sort(found[name]), np.arange(size))
  assert (labels[found["same class"]] == labels).all()
  if len(set(labels)) > 1:
    assert (labels[found["different"]] != labels).all()
  assert (found["nearest"] != np.arange(size)).all()
  assert set(found["nearest"]) <= set(range(size))
  assert where[found["similar"][where]].all()
