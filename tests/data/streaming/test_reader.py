"""Tests of reading examples, and of the account of bad ones."""

import io

import numpy as np
import PIL.Image
import pytest

from mixup_jax.data.streaming import datasets
from mixup_jax.data.streaming import reader as stream_examples


def _jpeg(value):
  buffer = io.BytesIO()
  image = np.full((8, 8, 3), value, np.uint8)
  PIL.Image.fromarray(image).save(buffer, "JPEG")
  return buffer.getvalue()


class Unreadable(list):
  """Examples of which the fourth is on a damaged sector."""

  def __getitem__(self, row):
    if row == 3:
      raise OSError("Input/output\nerror")
    return super().__getitem__(row)


EXAMPLES = Unreadable(
  {"image": _jpeg(10 * i), "label": i % 5, "file_name": f"{i}.jpg"}
  for i in range(10)
)
EXAMPLES[1] |= {"image": EXAMPLES[1]["image"][:-4]}
EXAMPLES[2] |= {"label": 5}
EXAMPLES[4] = {"image": b"", "label": 0}
ORDER = np.arange(10)


def _reader(examples=EXAMPLES, share=0.001):
  stream_set = datasets.StreamSet("few", 5, tuple("abcde"), examples, [])
  return stream_examples.make_reader(stream_set, "train", share)


def test_a_good_example_is_an_image_and_a_class():
  bad = {}
  image, label = _reader().read(7, bad)
  np.testing.assert_allclose(image, np.full((8, 8, 3), 70), atol=1)
  assert label == 2 and not bad


@pytest.mark.parametrize(
  "row,name,reason",
  (
    (1, "few/train[1] 1.jpg", "cut off"),
    (2, "few/train[2] 2.jpg", "the label 5 is none of 5 classes"),
    (3, "few/train[3]", "Input/output error"),
    (4, "few/train[4]", "the 0 bytes are no image"),
  ),
)
def test_a_bad_example_is_named_with_what_is_wrong(row, name, reason):
  bad = {}
  assert _reader().read(row, bad) is None
  assert list(bad) == [name]
  assert reason in bad[name] and "\n" not in bad[name]


def test_a_label_below_zero_is_none():
  bad = {}
  assert _reader([EXAMPLES[0] | {"label": -1}]).read(0, bad) is None
  assert "-1" in bad["few/train[0] 0.jpg"]


def test_the_next_good_example_takes_the_place():
  bad = {}
  assert _reader().read_from(ORDER, 1, bad)[1] == 0
  assert [name[:12] for name in bad] == [
    f"few/train[{i}]" for i in (1, 2, 3, 4)
  ]
  order = np.roll(ORDER, -5)  # The last is bad: behind it comes the first.
  assert _reader().read_from(order, 9, {})[1] == 0


def test_a_set_without_a_good_image_is_an_end_and_no_loop():
  reader = _reader([EXAMPLES[1]] * 3)  # With one name for all.
  with pytest.raises(RuntimeError, match="at least 3 of 3 images"):
    reader.read_from(np.arange(3), 0, {})


def test_each_bad_image_is_told_once(capsys):
  reader, bad = _reader(), {}
  reader.account(bad, {"b": "two", "a": "one"})
  reader.account(bad, {"b": "two"})
  reader.account(bad, {"c": "three"})
  assert bad == {"a": "one", "b": "two", "c": "three"}
  assert capsys.readouterr().err.splitlines() == [
    "bad image: a: one",
    "bad image: b: two",
    "bad image: c: three",
  ]


@pytest.mark.parametrize(
  "size,share,allowed", ((100, 0.001, 5), (8000, 0.001, 8), (100, 0.2, 20))
)
def test_too_many_bad_images_are_an_error_that_names_some(size, share, allowed):
  reader, bad = _reader([EXAMPLES[0]] * size, share), {}
  for i in range(allowed):
    reader.account(bad, {f"{i}.jpg": "cut"})
  with pytest.raises(RuntimeError, match="max_bad_share") as error:
    reader.account(bad, {"one more": "cut"})
  for word in f"{allowed + 1} of {size}", "few/train", "0.jpg: cut; 1.jpg: cut":
    assert word in str(error.value)
