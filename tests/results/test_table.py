"""Proves how numbers are summed up and shown."""

from mixup_jax import results

ROW = results.Row(
  setting="iris",
  method="ERM",
  metric="test error (%)",
  paper=21.3,
  value=14.43,
  std=5.0,
  n=25,
  epochs=10,
)


def test_what_was_not_run_says_so():
  row = results.summarize(
    [],
    setting="cifar10",
    method="ERM",
    metric="test error (%)",
    paper=5.6,
    epochs=200,
  )
  assert row["value"] is None and row["n"] == 0
  assert results.mean_and_error(row) == "not run"


def test_numbers_that_are_not_verified_are_marked():
  names = {key: ROW[key] for key in ("setting", "method", "metric", "epochs")}
  row = results.summarize([14.43], paper=21.3, unverified=True, **names)
  assert row["unverified"]
  # Of no number there is nothing to verify.
  row = results.summarize([14.43], paper=None, unverified=True, **names)
  assert "unverified" not in row


def test_numbers_have_their_standard_error_and_mark():
  assert results.mean_and_error(ROW) == "14.43 ± 1.00"
  assert results.mean_and_error({**ROW, "n": 1}) == "14.43"
  assert results.paper_number(ROW) == "21.3"
  assert results.paper_number({**ROW, "paper": 74}) == "74.0"
  assert results.paper_number({**ROW, "paper": 0.28}) == "0.28"
  assert results.paper_number({**ROW, "paper": None}) == "-"
  assert results.paper_number({**ROW, "paper": 5.53}) == "5.53"
  assert results.paper_number({**ROW, "paper": 2.0}) == "2.0"
  assert results.paper_number({**ROW, "unverified": True}) == "21.3 unverified"


def test_a_row_may_say_its_decimals():
  count = {**ROW, "n": 1, "value": 33.0, "decimals": 0}
  assert results.mean_and_error(count) == "33"
  assert results.mean_and_error({**ROW, "decimals": 1}) == "14.4 ± 1.0"
  small = {**ROW, "n": 1, "value": 1e-7, "decimals": 4}
  assert results.mean_and_error(small) == "<0.0001"
  assert results.is_number("<0.0001")
  assert results.mean_and_error({**small, "value": 0.0}) == "0.0000"


def test_cells_put_ours_beside_the_papers():
  header, line = results.cells([ROW])
  assert dict(zip(header, line)) == {
    "setting": "iris",
    "method": "ERM",
    "metric": "test error (%)",
    "paper": "21.3",
    "ours": "14.43 ± 1.00",
    "n": "25",
    "epochs": "10",
  }


def test_tables_are_aligned():
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


def test_a_result_is_laid_out_as_it_says():
  rows = [
    {**ROW, "n": 1, "setting": setting, "metric": metric, "value": value}
    for setting, metric, value in (
      ("a", "best", 1.0),
      ("a", "last", 2.0),
      ("b", "last", 4.0),
      ("b", "time", 8.0),
    )
  ]
  layout = results.Layout(
    lines=["setting", "method"], columns="metric", metrics=["best", "last"]
  )
  assert results.laid_out({"rows": rows, "layout": layout}) == [
    ["setting", "method", "best, paper", "best", "last, paper", "last"],
    ["a", rows[0]["method"], "21.3", "1.00", "21.3", "2.00"],
    ["b", rows[0]["method"], "-", "-", "21.3", "4.00"],
  ]
  assert results.laid_out({"rows": rows[:1]})[0][0] == "best"


def test_a_p_value_has_no_spread():
  row = results.Row(**{**ROW, "metric": results.P_VALUE, "value": 0.0123})
  assert results.mean_and_error(row) == "0.012"
