"""Proves the rows of Table 1, and that others are not beside the paper's."""

from configs import imagenet as configs
from experiments.imagenet import table


def config(argument="dataset=imagenet2012,epochs=90", **changes):
  values = configs.get_config(argument)
  values.update(changes)
  return values


def lines(*errors):
  return [
    {
      "validation/error": error,
      "validation/top5_error": error / 4,
      "validation/nll": 1.0,
      "validation/ece": 2.0,
      "train/error": error + 1,
      "train/seconds": 2.0,
      "seconds": 1.0,
    }
    for error in errors
  ]


def rows_of(values, method="mixup, alpha 0.2"):
  found = table.result_rows(values, method, [lines(60, 24), lines(50, 20)])
  return {row["metric"]: row for row in found}


def test_rows_are_of_the_last_epoch():
  rows = rows_of(config())
  assert rows[table.TOP1]["value"] == 22 and rows[table.TOP1]["n"] == 2
  assert rows[table.TOP5]["value"] == 5.5
  assert rows[table.TOP1]["paper"] == 23.3 and rows[table.TOP5]["paper"] == 6.6
  assert rows["seconds a network"]["value"] == 6
  assert rows_of(config(), "ERM")[table.TOP5]["paper"] is None


def test_only_the_papers_setting_is_put_beside_the_paper():
  for values, method in (
    (config("dataset=tiny_imagenet,epochs=90"), "ERM"),
    (config(batch_size=256), "ERM"),
    (config(epochs=30), "ERM"),
    (config(), "mixup, alpha 0.4"),
  ):
    assert all(r["paper"] is None for r in rows_of(values, method).values())
  name = table.setting(config("dataset=tiny_imagenet,epochs=3"))
  assert name.startswith("tiny_imagenet, resnet50, 3 epochs (")
  assert "width 24" in name and "image size 64" in name
  assert table.setting(config()) == "imagenet2012, resnet50, 90 epochs"


def test_the_papers_rows_are_not_run():
  rows = table.paper_rows()
  assert len(rows) == 30 and all(row["value"] is None for row in rows)
  assert sum(row["paper"] is not None for row in rows) == 15 + 12
  found = {
    (row["setting"], row["method"], row["metric"]): row["paper"] for row in rows
  }
  assert (
    found[
      "imagenet2012, resnext101_32x4d, 200 epochs",
      "mixup, alpha 0.4",
      table.TOP1,
    ]
    == 20.1
  )


def test_curves():
  top1, training = table.curves(config(), "ERM", [lines(60, 24)])
  assert top1["values"] == [[60, 24]] and training["values"] == [[61, 25]]
