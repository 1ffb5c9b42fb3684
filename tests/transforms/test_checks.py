"""Tests of the checks that every transform shares."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import transforms
from mixup_jax.transforms import _checks


@pytest.mark.parametrize(
  "alpha",
  (0, 0.2, 1, 32.0, float("inf"), np.float32(0.4), np.array([0.1, 2.0])),
)
def test_check_alpha_accepts_numbers_from_zero(alpha):
  transforms.check_alpha(alpha)


@pytest.mark.parametrize(
  "alpha, error, shown",
  [
    (-1, ValueError, "got -1"),
    (float("nan"), ValueError, "got nan"),
    (np.array([1.0, -0.5]), ValueError, "got -0.5"),
    ("0.2", TypeError, "got '0.2'"),
    (None, TypeError, "got None"),
    (False, TypeError, "got False"),
    ([0.2], TypeError, r"got \[0.2\]"),
  ],
)
def test_check_alpha_refuses_bad_values(alpha, error, shown):
  with pytest.raises(error, match=f"alpha must be .*{shown}: 0 is ERM"):
    transforms.check_alpha(alpha)


def test_check_alpha_does_not_read_device_arrays():
  transforms.check_alpha(jnp.float32(-1))


def test_check_range_refuses_values_above_high():
  _checks.check_range("p", 1.0, high=1, advice="stay below")
  with pytest.raises(ValueError, match="p must be from 0 to 1, got 1.5: stay"):
    _checks.check_range("p", 1.5, high=1, advice="stay below")


def test_batch_size_requires_a_shared_leading_axis():
  tree = {"a": np.ones((3, 2)), "b": jnp.ones(3)}
  assert _checks.batch_size(inputs=tree) == 3
  for tree in ((), (np.ones(3), np.ones(4)), (np.ones(3), 1.0)):
    with pytest.raises(ValueError, match="share a leading batch axis"):
      _checks.batch_size(inputs=tree)


def test_batch_size_names_the_leaf_and_its_shape():
  inputs, targets = {"a": np.ones((3, 2))}, {"label": np.ones(4)}
  with pytest.raises(
    ValueError, match=r"inputs\['a'\] \(3, 2\), targets\['label'\] \(4,\)"
  ):
    _checks.batch_size(inputs=inputs, targets=targets)


def test_batch_size_names_one_item_of_a_list():
  """A list is a tree of its items, of which a batch of images has millions."""
  with pytest.raises(ValueError) as error:
    _checks.batch_size(inputs=np.ones((4, 2)), targets=[0, 1, 2, 3])
  assert str(error.value).startswith(
    "inputs and targets must be arrays that share a leading batch axis, got "
    "the shapes inputs (4, 2), targets[0] () (make an array of a list"
  )


@pytest.mark.parametrize("mask", ([True, False], True, None))
def test_check_boolean_refuses_what_is_no_array(mask):
  with pytest.raises(TypeError, match="valid must be one array, got"):
    _checks.check_boolean("valid", mask)


@pytest.mark.parametrize(
  "leaf",
  (
    np.array([b"a", b"b"]),
    np.array(["a", "b"]),
    np.array([None, "b"]),
    np.array(["2020-01-01"] * 2, "M8[D]"),
  ),
)
def test_check_numbers_names_a_leaf_without_numbers(leaf):
  with pytest.raises(TypeError) as error:
    _checks.check_numbers(inputs=jnp.ones(2), targets={"id": leaf})
  message = f"targets['id'] has the dtype {leaf.dtype}, which holds no numbers"
  assert message in str(error.value)


def test_check_numbers_takes_all_numbers():
  dtypes = ("bfloat16", "bool", "int8", "complex64")
  tree = [jnp.ones(2, x) for x in dtypes]
  _checks.check_numbers(tree=[tree, np.array([2**31 - 1]), jax.random.key(0)])


def test_check_numbers_names_ids_that_jax_would_cut():
  ids = {"image_id": np.array([7, 2**40 + 1])}
  assert jnp.asarray(ids["image_id"]).tolist() == [7, 1]  # In silence.
  with pytest.raises(
    ValueError, match=r"targets\['image_id'\] .* int32 cannot"
  ):
    _checks.check_numbers(targets=ids)
  with jax.enable_x64(True):
    _checks.check_numbers(targets=ids)


BATCH_OF_TWO = jnp.ones((2, 4, 4, 1)), jnp.zeros(2, jnp.int32)
NAMES = np.array(["a", "b"])


@pytest.mark.parametrize(
  "transform",
  (
    functools.partial(transforms.mixup, alpha=1.0),
    functools.partial(transforms.gaussian_noise, sigma=1.0),
    functools.partial(
      transforms.switch,
      transforms=[functools.partial(transforms.mixup, alpha=1.0)] * 2,
    ),
    functools.partial(
      transforms.paired,
      transform=functools.partial(transforms.mixup, alpha=1.0),
    ),
  ),
)
def test_transforms_name_strings_among_inputs(getkey, transform):
  images, labels = BATCH_OF_TWO
  with pytest.raises(TypeError, match=r"inputs\['name'\] has the dtype <U1"):
    transform(getkey(), {"image": images, "name": NAMES}, labels)


def test_parts_of_transforms_name_strings(getkey):
  mix = transforms.Mix(jnp.float32(0.5), jnp.array([1, 0]))
  by_function = mix._replace(partner=lambda tree: tree)
  captions = {"caption": NAMES[:, None]}
  for function in (
    transforms.mix_pairs,
    transforms.mix_targets,
    transforms.pair_union,
    functools.partial(transforms.mix_padded, valid=np.ones((2, 1), bool)),
  ):
    for plan in (mix, by_function):
      with pytest.raises(TypeError, match=r"tree\['caption'\] has the dtype"):
        function(captions, plan)
  with pytest.raises(TypeError, match="b has the dtype <U1"):
    transforms.interpolate(jnp.ones(2), NAMES, 0.5)
  with pytest.raises(TypeError, match="targets has the dtype <U1"):
    transforms.similar_target_partners(getkey(), NAMES, sigma=1.0)


@pytest.mark.parametrize(
  "function, name",
  [
    (functools.partial(transforms.cutmix, alpha=1.0), "images"),
    (transforms.resizemix, "images"),
    (functools.partial(transforms.fmix, alpha=1.0), "images"),
    (
      functools.partial(transforms.label_smoothing, epsilon=0.1, num_classes=5),
      "targets",
    ),
  ],
)
def test_transforms_of_one_array_refuse_a_tree(getkey, function, name):
  images, labels = BATCH_OF_TWO
  with pytest.raises(TypeError, match=f"{name} must be one array, got dict"):
    function(getkey(), {"image": images}, {"label": labels})


@pytest.mark.parametrize(
  "transform",
  (
    functools.partial(transforms.mixup, alpha=1.0),
    functools.partial(transforms.cutmix, alpha=1.0),
    functools.partial(
      transforms.cutmix, alpha=1.0, partner=jnp.zeros(4, jnp.int32)
    ),
    transforms.as_transform(lambda key, inputs, targets: (inputs, targets)),
  ),
)
def test_transforms_name_the_shape_and_dtype_of_where(getkey, transform):
  batch = jnp.ones((4, 6)), jnp.zeros(4, jnp.int32)
  for where in (jnp.ones((4, 6), bool), jnp.ones(6, bool), True):
    with pytest.raises(ValueError, match=r"where must have the shape \(4,\)"):
      transform(getkey(), *batch, where=where)
  with pytest.raises(TypeError, match="where must be boolean, got int32: pass"):
    transform(getkey(), *batch, where=jnp.ones(4, jnp.int32))
  transform(getkey(), *batch, where=np.ones(4, bool))


def test_check_pairable_refuses_fewer_than_two_examples():
  _checks.check_pairable(2)
  for size in (0, 1):
    with pytest.raises(
      ValueError, match=f"got a batch of {size}: use a larger"
    ):
      _checks.check_pairable(size)
