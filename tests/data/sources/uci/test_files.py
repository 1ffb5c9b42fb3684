"""Tests of the parser of raw files."""

import hashlib

import numpy as np
import pytest

from mixup_jax.data.sources.uci import files


def _write(path, text):
  path.write_text(text)
  return path


def test_read_takes_delimited_text_with_words_and_missing_values(tmp_path):
  path = _write(tmp_path / "a.data", "M,1.5,x\n\n% note\r\nF, ?,y\n")
  features, labels = files.read(path, columns=2, codes={"F": 0, "M": 2})
  np.testing.assert_array_equal(features, [[2, 1.5], [0, np.nan]])
  assert features.dtype == np.float64
  assert labels == ["x", "y"]


def test_read_takes_arff_behind_its_header(tmp_path):
  path = _write(
    tmp_path / "a.arff",
    "@relation r\n@attribute a {1,-1}\n"
    "@attribute Result {1,-1}\n\n@DATA\n1,-1\n-1,1\n",
  )
  features, labels = files.read(path, columns=1)
  np.testing.assert_array_equal(features, [[1], [-1]])
  assert labels == ["-1", "1"]


def test_read_takes_labels_from_a_second_file(tmp_path):
  path = _write(tmp_path / "a.data", "1  2 \n3 4\n")
  label_path = _write(tmp_path / "a.labels", "-1\n1\n")
  features, labels = files.read(
    path, columns=2, delimiter=None, label_path=label_path
  )
  np.testing.assert_array_equal(features, [[1, 2], [3, 4]])
  assert labels == ["-1", "1"]


@pytest.mark.parametrize("text", ("1,2,x\n3,4\n", "1,2,x\n3,4,5,x\n"))
def test_read_names_a_ragged_row_with_found_and_expected(tmp_path, text):
  path = _write(tmp_path / "a.data", text)
  found = text.splitlines()[1].count(",") + 1
  with pytest.raises(ValueError) as error:
    files.read(path, columns=2)
  message = f"{path}, line 2: found {found} fields, expected 3"
  assert message in str(error.value)


def test_read_counts_the_header_in_line_numbers(tmp_path):
  path = _write(tmp_path / "a.arff", "@relation r\n@data\n1,x\n1\n")
  with pytest.raises(ValueError, match="line 4: found 1 fields"):
    files.read(path, columns=1)


def test_read_names_an_unparsable_value_with_its_place(tmp_path):
  path = _write(tmp_path / "a.data", "1,2,x\n3,4O,x\n")
  with pytest.raises(ValueError) as error:
    files.read(path, columns=2)
  assert f"{path}, line 2, column 2: '4O' is not a number" in str(error.value)


def test_read_refuses_labels_that_do_not_match_rows(tmp_path):
  path = _write(tmp_path / "a.data", "1 2\n3 4\n")
  label_path = _write(tmp_path / "a.labels", "1\n")
  with pytest.raises(ValueError, match="1 labels for the 2 rows"):
    files.read(path, columns=2, delimiter=None, label_path=label_path)


def test_find_looks_anywhere_below(tmp_path):
  deep = tmp_path / "uci" / "abalone"
  deep.mkdir(parents=True)
  path = _write(deep / "abalone.data", "")
  assert files.find(tmp_path, "abalone.data") == path
  with pytest.raises(FileNotFoundError) as error:
    files.find(tmp_path, "iris.data")
  assert f"no file 'iris.data' in {tmp_path} or below" in str(error.value)


def test_checksum_ignores_white_space(tmp_path):
  one = files.read(_write(tmp_path / "1", "1.0,?,x\n2,3,y\n"), columns=2)
  two = files.read(_write(tmp_path / "2", "1, ?, x\r\n\r\n2.0,3,y"), columns=2)
  values = np.array([[1, np.nan], [2, 3]], "<f8").tobytes()
  expected = hashlib.sha256(values + b"x\ny").hexdigest()
  assert files.checksum([one]) == files.checksum([two]) == expected


@pytest.mark.parametrize(
  "text", ("1,2,y\n3,4,x\n", "3,4,x\n1,2,y\n", "1,2.0000000001,x\n3,4,y\n")
)
def test_checksum_depends_on_values_labels_and_order(tmp_path, text):
  path = _write(tmp_path / "1", "1,2,x\n3,4,y\n")
  original = files.checksum([files.read(path, columns=2)])
  other = files.read(_write(tmp_path / "2", text), columns=2)
  assert files.checksum([other]) != original


@pytest.mark.parametrize("field", ("nan", "inf", "-Infinity", "1e39", "1e999"))
def test_read_names_a_value_that_is_not_finite_with_its_place(tmp_path, field):
  path = _write(tmp_path / "a.data", f"1,2,x\n{field},4,x\n")
  with pytest.raises(ValueError) as error:
    files.read(path, columns=2)
  message = f"{path}, line 2, column 1: {field!r} is not finite in float32"
  assert message in str(error.value)


def test_read_names_a_table_in_utf16_and_takes_a_byte_order_mark(tmp_path):
  path = tmp_path / "a.data"
  path.write_text("1,2,x\n", encoding="utf-16")
  with pytest.raises(ValueError, match="a.data, line 1: the text is UTF-16"):
    files.read(path, columns=2)
  path.write_text("1,2,x\n", encoding="utf-8-sig")
  assert files.read(path, columns=2).features.tolist() == [[1, 2]]
