"""Tests of aligning tables, which fit a terminal."""

import hypothesis
from hypothesis import strategies as st

from mixup_jax import results
from mixup_jax.results.alignment import WIDTH

WORDS = st.text("abc,()", min_size=1, max_size=70)
NAMES = st.lists(WORDS, min_size=1, max_size=12).map(" ".join)
NUMBERS = st.floats(-1e6, 1e6).map(lambda x: f"{x:.2f} ± {abs(x) / 3:.2f}")


@st.composite
def tables(draw):
  header = draw(st.lists(NAMES, min_size=1, max_size=9))
  labels = draw(st.lists(NAMES, min_size=1, max_size=4))
  cells = st.one_of(NUMBERS, st.sampled_from(["-", "not run"]))
  lines = [[label, *(draw(cells) for _ in header)] for label in labels]
  return [["", *header], *lines]


@hypothesis.given(tables())
@hypothesis.settings(max_examples=40, deadline=None)
def test_format_table_fits_a_terminal(cells):
  text = results.format_table(cells)
  assert max(map(len, text.splitlines())) <= WIDTH
  # Columns that found no room are in other tables: none is lost.
  for line in cells[1:]:
    for number in line[1:]:
      assert number in text
  letters = "".join(text.split())
  for name in cells[0][1:]:
    for word in name.split():
      assert all(part in letters for part in (word[:44], word[44:]))


def test_format_table_aligns_words_left_and_numbers_right():
  text = results.format_table(
    [["name", "value"], ["a", "1.5"], ["long name", "-"], ["b", "12.25"]]
  )
  assert text.splitlines() == [
    "name       value",
    "---------  -----",
    "a            1.5",
    "long name      -",
    "b          12.25",
  ]


def test_format_table_wraps_headers_onto_the_rule():
  header = ["", *(f"method number {i}, with options" for i in range(6))]
  text = results.format_table([header, ["error", *["10.00 ± 0.10"] * 6]])
  lines = text.splitlines()
  rule = next(i for i, line in enumerate(lines) if line.startswith("---"))
  assert rule >= 2 and len(lines) == rule + 2
  assert lines[rule - 1].split() == ["options"] * 6
  assert lines[-1].split("  ")[0] == "error"
  assert lines[-1].count("10.00 ± 0.10") == 6 and len(lines[-1]) <= WIDTH


def test_format_table_puts_columns_without_room_below():
  header = ["", *(f"method{i}" for i in range(9))]
  line = ["error", *(f"1{i}.00 ± 0.10" for i in range(9))]
  above, below = results.format_table([header, line]).split("\n\n")
  numbers = [part.splitlines()[-1] for part in (above, below)]
  assert all(text.startswith("error  1") for text in numbers)
  assert " ".join(text[5:].strip() for text in numbers).split() == (
    " ".join(line[1:]).split()
  )


def test_format_table_indents_what_follows_of_a_label():
  label = " ".join(["word"] * 30)
  lines = results.format_table([["", "x"], [label, "1"]]).splitlines()
  assert lines[2].endswith("1") and lines[3].startswith("  word")
  assert " ".join(lines[2:]).split().count("word") == 30


def test_is_number_accepts_what_stands_for_one():
  for text in ("-", "not run", "1.0 ± 0.2", "<0.001", "-3"):
    assert results.is_number(text)
  assert not results.is_number("ERM")
