"""Three claims of the paper in one picture, for the README."""

from typing import Any, Mapping, NamedTuple

from experiments.report import book
from experiments.report import claims
from mixup_jax import results


class Source(NamedTuple):
  """What a panel shows.

  Attributes:
    title: What was run; the panel adds the verdict on the claim of the file.
    file: The result file, without its ending.
    payload: The payload that holds the curves.
    chosen: What those curves have in common.
    keys: The methods to show.
    x: The name of the horizontal axis, and the field that holds it.
    last: Where the horizontal axis ends; None at the last value.
    limit: Where the vertical axis ends.
    decimals: Those of the last value.
  """

  title: str
  file: str
  payload: str
  chosen: dict[str, str]
  keys: tuple[str, ...]
  x: tuple[str, str]
  last: float | None
  limit: float
  decimals: int


SOURCES = (
  Source(
    "3.2: CIFAR-10, as in the paper",
    "cifar_h200",
    "curves",
    {"metric": "test error (%)"},
    ("erm", "mixup"),
    ("epoch", "epochs"),
    None,
    20,
    1,
  ),
  Source(
    "3.4: digits, 80 % of the labels replaced",
    "corrupted_digits",
    "curves",
    {"metric": "test", "setting": "80 % replaced"},
    ("erm", "mixup"),
    ("epoch", "epochs"),
    None,
    100,
    1,
  ),
  Source(
    "3.5: FGSM in the white box, 5,000 images",
    "adversarial_tenth",
    "robustness",
    {"attack": "white box, FGSM"},
    ("erm", "mixup"),
    ("epsilon (pixels of 0 to 255)", "epsilon"),
    4,
    100,
    1,
  ),
)


def panels(found: Mapping[str, Mapping[str, Any]]) -> list[results.Panel]:
  """Returns the panels, from the content of each result file by its name."""
  return [panel(source, found[source.file]) for source in SOURCES]


def panel(source: Source, result: Mapping[str, Any]) -> results.Panel:
  """Returns a panel: its lines, and the verdict in its title."""
  (claim,) = (x for x in claims.CLAIMS if x.file == source.file)
  (*_, verdict, _) = book.line(claim, result, to="")
  label, field = source.x
  lines = []
  for curve in result[source.payload]:
    if curve["key"] in source.keys and all(
      curve[name].startswith(text) for name, text in source.chosen.items()
    ):
      x = [each for each in curve[field] if each <= (source.last or each)]
      lines.append(
        results.Line(
          name="ERM" if curve["key"] == "erm" else curve["key"],
          key=curve["key"],
          x=x,
          values=[seed[: len(x)] for seed in curve["values"]],
        )
      )
  return results.Panel(
    title=f"{source.title}\n{verdict}",
    x=label,
    y="test error (%)",
    limit=source.limit,
    decimals=source.decimals,
    lines=lines,
  )
