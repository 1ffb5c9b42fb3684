"""Proves the rows and curves of the speech section."""

from configs import speech as configs
from experiments.speech import table

PAPERS = "dataset=speech_commands_v0.01"


def lines(*errors):
  return [
    {
      "validation/error": error,
      "test/error": error + 1,
      "test/nll": 0.5,
      "test/ece": 2.0,
      "clean/error": 0.0,
      "train/error": error,
      "train/seconds": 2.0,
      "seconds": 1.0,
    }
    for error in errors
  ]


def rows_of(config, method="ERM", trained=(lines(9, 5, 7), lines(9, 7, 8))):
  rows = table.result_rows(config, "vgg11", method, list(trained))
  return {row["metric"]: row for row in rows}


def test_rows_are_of_the_last_epoch_and_of_the_best():
  rows = rows_of(configs.get_config(PAPERS))
  assert rows[table.VALIDATION]["value"] == 7.5
  assert rows[table.TEST]["value"] == 8.5 and rows[table.TEST]["n"] == 2
  assert rows[table.BEST]["value"] == 7  # 6 and 8.
  assert rows["seconds a network"]["value"] == 9
  assert rows[table.VALIDATION]["paper"] == 5.0
  assert rows[table.TEST]["paper"] == 4.6
  assert rows[table.BEST]["paper"] is None


def test_only_the_papers_setting_is_put_beside_the_paper():
  for changes, method in (
    ({"epochs": 15}, "ERM"),
    ({"bins": 161}, "ERM"),
    ({"dataset": "speech_commands_subset"}, "ERM"),
    ({}, "waveform, alpha 0.1"),
    ({}, "spectrogram, alpha 0.4"),
  ):
    config = configs.get_config(PAPERS)
    config.update(changes)
    assert all(r["paper"] is None for r in rows_of(config, method).values())
  config = configs.get_config(PAPERS)
  config.vgg11.width = 8
  assert table.setting(config, "vgg11").endswith("vgg11 (width 8)")
  assert table.setting(config, "lenet") == "speech_commands_v0.01, lenet"
  own = rows_of(configs.get_config(PAPERS), "spectrogram, alpha 0.2")
  assert own[table.TEST]["paper"] == 3.4


def test_the_papers_twelve_numbers_are_not_run():
  rows = table.paper_rows()
  assert len(rows) == 12 and all(row["value"] is None for row in rows)
  assert {row["paper"] for row in rows if "lenet" in row["setting"]} == {
    9.8,
    10.3,
    10.1,
    10.8,
    10.2,
    11.3,
  }


def test_curves():
  test, validation = table.curves(
    configs.get_config(), "lenet", "ERM", [lines(9, 5)] * 2
  )
  assert test["values"] == [[10, 6]] * 2
  assert validation["values"] == [[9, 5]] * 2
