"""Tests of reading examples, and of the record of bad ones."""

import io

import numpy as np
import PIL.Image
import pytest

from mixup_jax.data.streaming import datasets
from mixup_jax.data.streaming import reader as reader_module
from mixup_jax.data.streaming.reader import make_reader


def _jpeg(value):
  buffer = io.BytesIO()
  image = np.full((8, 8, 3), value, np.uint8)
  PIL.Image.fromarray(image).save(buffer, "JPEG")
  return buffer.getvalue()


class Unreadable(list):
  """Examples of which the fourth raises an OSError."""

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
  return make_reader(stream_set, "train", share)


def test_read_returns_an_image_and_a_class():
  bad = {}
  image, label = _reader().read(7, bad)
  np.testing.assert_allclose(image, np.full((8, 8, 3), 70), atol=1)
  assert label == 2 and not bad


def test_read_raises_an_outage_and_counts_no_image_as_bad():
  class Away(list):
    def __getitem__(self, row):
      raise RuntimeError("Retry policy exhausted, with a last message of 503")

  bad = {}
  with pytest.raises(RuntimeError, match="Retry policy exhausted"):
    _reader(Away(EXAMPLES)).read(0, bad)
  assert not bad


@pytest.mark.parametrize(
  "row,name,reason",
  (
    (1, "few/train[1] 1.jpg", "truncated"),
    (2, "few/train[2] 2.jpg", "the label 5 is not one of 5 classes"),
    (3, "few/train[3]", "Input/output error"),
    (4, "few/train[4]", "the 0 bytes are not an image"),
  ),
)
def test_read_names_a_bad_example_and_its_error(row, name, reason):
  bad = {}
  assert _reader().read(row, bad) is None
  assert list(bad) == [name]
  assert reason in bad[name] and "\n" not in bad[name]


def test_read_refuses_a_negative_label():
  bad = {}
  assert _reader([EXAMPLES[0] | {"label": -1}]).read(0, bad) is None
  assert "-1" in bad["few/train[0] 0.jpg"]


def test_read_from_skips_to_the_next_valid_example():
  bad = {}
  found = list(_reader().read_from(ORDER, [0, 1, 6], bad))
  assert [label for _, label in found] == [0, 0, 1]
  assert [name[:12] for name in bad] == [
    f"few/train[{i}]" for i in (1, 2, 3, 4)
  ]
  order = np.roll(ORDER, -5)  # The last one is bad: it wraps to the first.
  ((_, label),) = _reader().read_from(order, [9], {})
  assert label == 0


def test_read_from_raises_if_every_example_is_bad():
  reader = _reader([EXAMPLES[1]] * 3)  # All have the same file name.
  with pytest.raises(RuntimeError, match="at least 3 of 3 images"):
    list(reader.read_from(np.arange(3), [0], {}))


def test_read_from_reads_all_before_it_decodes_one(monkeypatch):
  seen = []

  class Seen(list):
    def __getitem__(self, row):
      seen.append(("read", row))
      return super().__getitem__(row)

  def decode(data):
    seen.append(("decode", data))
    return np.zeros((8, 8, 3), np.uint8)

  monkeypatch.setattr(reader_module.decode, "decode", decode)
  examples = [{"image": i, "label": 0} for i in range(9)]
  assert len(list(_reader(Seen(examples)).read_from(ORDER, [6, 8], {}))) == 2
  assert seen == [("read", 6), ("read", 8), ("decode", 6), ("decode", 8)]


def test_account_reports_each_bad_image_once(capsys):
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
def test_account_raises_at_too_many_bad_images_and_names_some(
  size, share, allowed
):
  reader, bad = _reader([EXAMPLES[0]] * size, share), {}
  for i in range(allowed):
    reader.account(bad, {f"{i}.jpg": "cut"})
  with pytest.raises(RuntimeError, match="max_bad_share") as error:
    reader.account(bad, {"one more": "cut"})
  for word in f"{allowed + 1} of {size}", "few/train", "0.jpg: cut; 1.jpg: cut":
    assert word in str(error.value)
