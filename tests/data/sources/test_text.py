"""Tests of decoding text files."""

import pytest

from mixup_jax.data.sources import text


@pytest.mark.parametrize("encoding", ("utf-8", "utf-8-sig"))
def test_decode_takes_utf8_with_or_without_a_mark(encoding):
  assert text.decode("é\n1".encode(encoding), "a") == "é\n1"


@pytest.mark.parametrize(
  "data, message",
  (
    ("1,2".encode("utf-16"), "a.data, line 1: the text is UTF-16: convert"),
    (b"1\n2\n\xe9", "a.data, line 3: the text is no UTF-8: convert"),
  ),
)
def test_decode_names_file_and_line_of_another_encoding(data, message):
  with pytest.raises(ValueError, match=message):
    text.decode(data, "a.data")
