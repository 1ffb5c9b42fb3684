"""Tests of the batches of a streamed data set."""

import io
import itertools
import threading

import chex
import numpy as np
import PIL.Image
import pytest

from mixup_jax.data.streaming import batches

SIZE = 16
BATCH = 8
# The rows of each host: blocks, and as the mesh of a TPU slice has them.
TWO = [range(0, 4), range(4, 8)]
FOUR = [range(i, i + 2) for i in range(0, 8, 2)]
INTERLEAVED = [[0, 1, 6, 7], [2, 3, 4, 5]]


def _jpeg(value):
  """Returns an image with its value in red, and positions in green and blue."""
  y, x = np.mgrid[:20, :24]
  image = np.stack([np.full_like(x, 8 * value), 9 * y, 9 * x], -1)
  buffer = io.BytesIO()
  PIL.Image.fromarray(image.astype(np.uint8)).save(
    buffer, "JPEG", quality=95, subsampling=0
  )
  return buffer.getvalue()


EXAMPLES = [
  {"image": _jpeg(i), "label": i, "file_name": f"{i}.jpg"} for i in range(29)
]


def _set(train=EXAMPLES, validation=EXAMPLES):
  return batches.StreamSet(
    "few", 29, tuple(map(str, range(29))), train, validation
  )


def _train(steps, stream_set=None, **options):
  options = {"seed": 7, "workers": 0} | options
  iterator = batches.train_batches(
    stream_set or _set(), batch_size=BATCH, image_size=SIZE, **options
  )
  taken = list(itertools.islice(iterator, steps))
  iterator.close()
  return taken


def _evaluate(stream_set=None, **options):
  return list(
    batches.eval_batches(
      stream_set or _set(),
      batch_size=BATCH,
      image_size=SIZE,
      **{"workers": 0} | options,
    )
  )


def _join(hosts, rows):
  """Joins the rows of hosts to global batches."""
  joined = []
  for parts in zip(*hosts, strict=True):
    batch = {
      key: np.zeros((BATCH, *x.shape[1:]), x.dtype)
      for key, x in parts[0].items()
    }
    for own, part in zip(rows, parts, strict=True):
      for key, x in part.items():
        batch[key][list(own)] = x
    joined.append(batch)
  return joined


@pytest.fixture(scope="module", name="seven")
def seven_steps():
  """Returns seven steps: two epochs of three steps, and one more."""
  return _train(7)


def test_train_batches_are_bytes_with_class_ids(seven):
  for batch in seven:
    assert set(batch) == {"images", "labels"}
    chex.assert_shape(batch["images"], (BATCH, SIZE, SIZE, 3))
    chex.assert_shape(batch["labels"], (BATCH,))
    assert batch["images"].dtype == np.uint8
    assert batch["labels"].dtype == np.int32
    red = batch["images"][..., 0].mean((1, 2))
    np.testing.assert_array_equal(np.rint(red / 8), batch["labels"])


def test_train_batches_have_a_new_order_each_epoch_without_repeats(seven):
  labels = [batch["labels"] for batch in seven]
  first, second = np.concatenate(labels[:3]), np.concatenate(labels[3:6])
  for epoch in first, second:
    assert len(set(epoch)) == 24
  assert (first != second).any() and set(first) != set(second)
  assert (labels[6] != labels[0]).any() and (labels[6] != labels[3]).any()


def test_train_batches_augment_anew_in_every_epoch(seven):
  seen = {}
  for batch in seven[:6]:
    for image, label in zip(batch["images"], batch["labels"]):
      seen.setdefault(int(label), []).append(image)
  pairs = [images for images in seen.values() if len(images) == 2]
  assert len(pairs) > 15
  assert sum((a != b).any() for a, b in pairs) > len(pairs) - 2


@pytest.mark.parametrize("rows", (TWO, FOUR, INTERLEAVED))
def test_train_batches_of_all_hosts_are_those_of_one(seven, rows):
  hosts = [_train(7, rows=own) for own in rows]
  chex.assert_trees_all_equal(_join(hosts, rows), seven)


@pytest.mark.parametrize("workers", (1, 3, None))
def test_train_batches_do_not_depend_on_workers(seven, workers):
  chex.assert_trees_all_equal(_train(7, workers=workers), seven)
  assert not [t for t in threading.enumerate() if t.name.startswith("input")]


@pytest.mark.parametrize("first_step", (1, 3, 5))
def test_train_batches_resume_from_first_step_on_other_hosts(seven, first_step):
  hosts = [
    _train(7 - first_step, first_step=first_step, rows=own, workers=index)
    for index, own in enumerate(TWO)
  ]
  chex.assert_trees_all_equal(_join(hosts, TWO), seven[first_step:])


def test_train_batches_depend_on_the_seed(seven):
  other = _train(3, seed=8)
  assert (other[0]["labels"] != seven[0]["labels"]).any()


@pytest.mark.parametrize("workers", (0, 2))
@pytest.mark.parametrize("rows", ([range(BATCH)], TWO, FOUR, INTERLEAVED))
def test_eval_batches_yield_each_image_once(rows, workers):
  hosts = [_evaluate(rows=own, workers=workers) for own in rows]
  assert {len(host) for host in hosts} == {4}
  joined = _join(hosts, rows)
  labels = np.concatenate([b["labels"][b["where"]] for b in joined])
  np.testing.assert_array_equal(labels, np.arange(29))
  np.testing.assert_array_equal(joined[3]["where"], np.arange(8) < 5)
  assert joined[0]["where"].dtype == bool
  chex.assert_shape(joined[3]["images"], (BATCH, SIZE, SIZE, 3))
  np.testing.assert_array_equal(
    joined[3]["images"][5:], np.zeros((3, SIZE, SIZE, 3))
  )


def _damaged(*rows):
  damage = {"image": EXAMPLES[0]["image"][:-9]}
  return [e | damage if i in rows else e for i, e in enumerate(EXAMPLES)]


@pytest.mark.parametrize("workers", (0, 2))
def test_train_batches_replace_a_bad_image_by_the_next(seven, workers, capsys):
  labels = np.concatenate([batch["labels"] for batch in seven[:3]])
  stream_set, bad = _set(train=_damaged(labels[9])), {}
  found = _train(3, stream_set, workers=workers, bad=bad)
  expected = labels.copy()
  expected[9] = labels[10]
  np.testing.assert_array_equal(
    np.concatenate([b["labels"] for b in found]), expected
  )
  name = f"few/train[{labels[9]}] {labels[9]}.jpg"
  assert list(bad) == [name]
  assert capsys.readouterr().err.splitlines() == [
    f"bad image: {name}: the JPEG is truncated"
  ]
  for row in (r for r in range(24) if r != 9):
    np.testing.assert_array_equal(
      found[row // 8]["images"][row % 8], seven[row // 8]["images"][row % 8]
    )


def test_train_batches_replace_bad_images_alike_on_any_number_of_hosts():
  stream_set = _set(train=_damaged(3, 4, 20))
  whole = _train(4, stream_set)
  hosts = [_train(4, stream_set, rows=own) for own in FOUR]
  chex.assert_trees_all_equal(_join(hosts, FOUR), whole)
  assert not np.isin([3, 4, 20], [b["labels"] for b in whole]).any()


def test_eval_batches_mask_a_bad_image():
  bad = {}
  found = _evaluate(_set(validation=_damaged(3)), bad=bad)
  np.testing.assert_array_equal(found[0]["where"], np.arange(8) != 3)
  assert list(bad) == ["few/validation[3] 3.jpg"]


@pytest.mark.parametrize("workers", (0, 2))
def test_train_and_eval_batches_raise_at_too_many_bad_images(workers):
  stream_set = _set(_damaged(*range(6)), _damaged(*range(6)))
  with pytest.raises(RuntimeError, match="at least 6 of 29 images"):
    _train(6, stream_set, workers=workers)
  with pytest.raises(
    RuntimeError, match=r"few/validation are bad, .*\[0\] 0.jpg: the"
  ):
    _evaluate(stream_set, workers=workers)
  assert len(_train(6, stream_set, workers=workers, max_bad_share=0.3)) == 6


@pytest.mark.parametrize(
  "options,message",
  (
    ({"rows": [6, 7, 8]}, "are not those of a batch of 8"),
    ({"rows": []}, "are not those of a batch of 8"),
    ({"seed": -1}, "seed -1 or first_step 0 is negative"),
    ({"first_step": -2}, "first_step -2 is negative"),
    ({"stream_set": _set(train=EXAMPLES[:7])}, "larger than the 7 training"),
    ({"workers": -1}, "workers -1 is negative"),
  ),
)
def test_train_batches_refuse_invalid_arguments_at_once(options, message):
  options = {"stream_set": _set(), "seed": 0} | options
  with pytest.raises(ValueError, match=message):
    batches.train_batches(batch_size=BATCH, image_size=SIZE, **options)
