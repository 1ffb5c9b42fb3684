"""Tests of loading data sets of spoken words."""

import numpy as np
import pytest

from mixup_jax.data.in_memory import audio


def test_load_tones_is_deterministic():
  data, again = audio.load("tones"), audio.load("tones")
  for part in ("train", "validation", "test"):
    samples, labels = getattr(data, part)
    assert samples.dtype == np.int16 and samples.shape[1] == 16_000
    assert labels.dtype == np.int32
    assert set(labels) == set(range(len(data.words)))
    np.testing.assert_array_equal(samples, getattr(again, part)[0])
  assert not (data.train[0][:60] == data.test[0]).all(1).any()


def test_load_gives_no_id_to_words_that_do_not_occur(tmp_path, raw_data):
  from mixup_jax.data import prepare

  raw = raw_data / "speech_commands"
  archive = next(raw.glob("*sample30.tar.xz"))
  assert (
    prepare.main(
      [
        "speech_commands_subset",
        "--raw",
        str(archive),
        "--data_dir",
        str(tmp_path),
      ]
    )
    == 0
  )
  data = audio.load("speech_commands_subset", str(tmp_path))
  assert len(data.words) == 30 and "forward" not in data.words
  sizes = [len(part[1]) for part in (data.train, data.validation, data.test)]
  assert sizes == [205, 44, 51]
  labels = np.concatenate([data.train[1], data.validation[1], data.test[1]])
  assert set(labels) == set(range(30))


def test_load_refuses_unknown_and_unprepared_data_sets(tmp_path):
  with pytest.raises(ValueError, match="Did you mean 'speech_commands_v0.01'"):
    audio.load("speech_command_v0.01")
  with pytest.raises(
    FileNotFoundError, match="prepare speech_commands_v0.02 --raw DIR"
  ):
    audio.load("speech_commands_v0.02", str(tmp_path))
