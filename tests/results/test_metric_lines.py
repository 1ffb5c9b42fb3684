"""Tests of the lines of metrics, damaged in every way that comes to mind."""

import json
import math

import pytest

from mixup_jax.results import metric_lines

SPE = 3  # Steps per epoch.
STEP = 5  # Of the checkpoint, one step before the run was killed.


def course(scale=0.5, last=STEP + 1):
  """Returns the lines of a run."""
  made = []
  for step in range(1, last + 1):
    made.append({"step": step, "loss": step * scale, "seconds": 0.25})
    if step % SPE == 0:
      made.append({"step": step, "epoch": step / SPE, "test/error": scale})
  return made


def sealed(lines):
  """Returns lines as bytes, and the checksum behind each."""
  texts, sums = [], [0]
  for line in lines:
    text, crc32 = metric_lines.seal(line, sums[-1])
    texts.append(text.encode())
    sums.append(crc32)
  return texts, sums[1:]


TEXTS, SUMS = sealed(course())
WANTED = course(last=STEP)
COUNT = len(WANTED)
CRC32 = SUMS[COUNT - 1]


def read(path, content, *, step=STEP, spe=SPE, crc32=CRC32):
  path.write_bytes(content)
  return metric_lines.read(
    path, step=step, eval_steps=range(0, step + 1, spe), crc32=crc32
  )


def outcome(path, content, **options):
  """Returns whether the lines are right; False if they are refused."""
  try:
    found = read(path, content, **options)
  except OSError as error:
    message = str(error)
    assert message.startswith(f"{path} does not fit the checkpoint of step 5")
    assert "line " in message and f"delete {path.parent}" in message
    assert path.read_bytes() == content
    return False
  assert found == WANTED
  return True


@pytest.fixture
def path(tmp_path):
  return tmp_path / "metrics.jsonl"


def test_seal_writes_json_whose_checksum_continues_that_before():
  for text, line, crc32 in zip(TEXTS, course(), SUMS):
    assert json.loads(text) == {**line, "crc32": crc32}
  assert metric_lines.seal({"a": 1}, 0)[1] != metric_lines.seal({"a": 1}, 1)[1]


def test_read_returns_the_lines_up_to_the_checkpoint(path):
  assert read(path, b"".join(TEXTS)) == WANTED
  assert read(path, b"no lines", step=0, crc32=None) == []


def test_read_returns_nan_for_null(path):
  texts, (crc32,) = sealed([{"step": 1, "loss": math.nan}])
  assert b'"loss": null' in texts[0]
  (line,) = read(path, texts[0], step=1, crc32=crc32)
  assert line["step"] == 1 and math.isnan(line["loss"])


def test_read_refuses_every_flipped_bit_of_what_it_needs(path):
  whole = b"".join(TEXTS)
  needed = len(b"".join(TEXTS[:COUNT])) - 1  # Without the end of the last line.
  for at in [*range(0, len(whole), 3), needed]:
    content = bytearray(whole)
    content[at] ^= 1 << at % 8
    right = outcome(path, bytes(content))
    assert right == (at > needed), at  # At `needed`, two lines become one.


def test_read_refuses_a_file_that_is_cut_off_before_the_checkpoint(path):
  whole = b"".join(TEXTS)
  needed = len(b"".join(TEXTS[:COUNT])) - 1
  for size in [*range(0, len(whole), 5), needed - 1, needed, needed + 1]:
    assert outcome(path, whole[:size]) == (size >= needed), size


def swapped(i):
  return [*TEXTS[:i], TEXTS[i + 1], TEXTS[i], *TEXTS[i + 2 :]]


def repeated(i):
  return TEXTS[: i + 1] + TEXTS[i:]


DAMAGES = {
  "deleted": lambda i: TEXTS[:i] + TEXTS[i + 1 :],
  "swapped": swapped,
  "repeated": repeated,
  "cut": lambda i: [*TEXTS[:i], TEXTS[i][:9] + b"\n", *TEXTS[i + 1 :]],
  "emptied": lambda i: [*TEXTS[:i], b"\n", *TEXTS[i + 1 :]],
  "zeroed": lambda i: [*TEXTS[:i], bytes(len(TEXTS[i])), *TEXTS[i + 1 :]],
  "old": lambda i: [
    *TEXTS[:i],
    json.dumps(course()[i]).encode() + b"\n",
    *TEXTS[i + 1 :],
  ],
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_read_refuses_a_line_that_is_not_in_its_place(path, damage):
  for number in range(COUNT - 1):
    content = b"".join(damage(number))
    assert not outcome(path, content), number
    first = number + 2 if damage is repeated else number + 1
    assert f"line {first} is damaged, or lines are" in error_of(path, content)


@pytest.mark.parametrize("name", sorted(DAMAGES.keys() - {"swapped"}))
def test_read_takes_no_notice_of_lines_behind_the_checkpoint(path, name):
  assert outcome(path, b"".join(DAMAGES[name](COUNT)))


def error_of(path, content):
  with pytest.raises(OSError) as error:
    read(path, content)
  return str(error.value)


def test_read_refuses_the_file_of_another_run(path):
  other, _ = sealed(course(scale=0.75))
  assert "all are of another run" in error_of(path, b"".join(other))
  assert not outcome(path, b"".join(TEXTS[:3] + other[3:]))
  assert not outcome(path, b"")


def test_read_refuses_a_missing_file_and_one_without_checksums(path):
  with pytest.raises(OSError, match="there is no such file. Put a copy"):
    metric_lines.read(path, step=5, eval_steps={3}, crc32=CRC32)
  with pytest.raises(OSError, match="of a version that kept no checksum"):
    read(path, b"".join(TEXTS), crc32=None)


@pytest.mark.parametrize("spe, line", ((2, 3), (4, 4), (5, 4)))
def test_read_refuses_epochs_of_another_length(path, spe, line):
  with pytest.raises(
    OSError, match=f"line {line} is of another step than expected"
  ):
    read(path, b"".join(TEXTS), spe=spe)


def test_read_refuses_lines_that_do_not_count_the_steps(path):
  """Though nothing has changed them since they were written."""
  for lines in (WANTED[:2] + WANTED[3:], WANTED[:1] + WANTED, WANTED[1:]):
    texts, sums = sealed(lines)
    with pytest.raises(OSError, match="line . is of another step"):
      read(path, b"".join(texts), crc32=sums[-1])


def test_last_epoch_passes_over_lines_without_one_or_damaged(tmp_path):
  path = tmp_path / "metrics.jsonl"
  assert metric_lines.last_epoch(path) is None
  path.write_text('{"step": 1}\n')
  assert metric_lines.last_epoch(path) == {}
  path.write_text('{"epoch": 1}\n{"epoch": 2}\n{"step": 9}\n5\n{"epoch": 3')
  assert metric_lines.last_epoch(path) == {"epoch": 2}
