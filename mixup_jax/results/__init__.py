"""Results of runs: rows, payloads of figures, tables.

Importing this package draws nothing and opens no file: `figures` and `recorder`
are modules of their own.
"""

from mixup_jax.results.alignment import format_table
from mixup_jax.results.alignment import is_number
from mixup_jax.results.intervals import difference
from mixup_jax.results.intervals import error_difference
from mixup_jax.results.intervals import Interval
from mixup_jax.results.intervals import interval
from mixup_jax.results.intervals import margin
from mixup_jax.results.paper import beside_paper
from mixup_jax.results.paper import describe_not_run
from mixup_jax.results.paper import NotRun
from mixup_jax.results.paper import PaperNumber
from mixup_jax.results.payloads import Curve
from mixup_jax.results.payloads import HeatMap
from mixup_jax.results.payloads import Layout
from mixup_jax.results.payloads import Line
from mixup_jax.results.payloads import MixedInputs
from mixup_jax.results.payloads import Pairs
from mixup_jax.results.payloads import Panel
from mixup_jax.results.payloads import Plane
from mixup_jax.results.payloads import Reliability
from mixup_jax.results.payloads import Result
from mixup_jax.results.payloads import Robustness
from mixup_jax.results.payloads import Snapshots
from mixup_jax.results.payloads import Spectrograms
from mixup_jax.results.payloads import Strip
from mixup_jax.results.rows import describe_runs
from mixup_jax.results.rows import DIFFERENCE
from mixup_jax.results.rows import ERM
from mixup_jax.results.rows import Method
from mixup_jax.results.rows import P_VALUE
from mixup_jax.results.rows import paired_t_test
from mixup_jax.results.rows import Row
from mixup_jax.results.rows import standard_error
from mixup_jax.results.rows import summarize
from mixup_jax.results.table import blocks
from mixup_jax.results.table import format_result
from mixup_jax.results.table import mean_and_error
from mixup_jax.results.table import paper_number

__all__ = (
  "beside_paper",
  "blocks",
  "Curve",
  "describe_not_run",
  "describe_runs",
  "difference",
  "DIFFERENCE",
  "ERM",
  "error_difference",
  "format_result",
  "format_table",
  "HeatMap",
  "Interval",
  "interval",
  "is_number",
  "Layout",
  "Line",
  "margin",
  "mean_and_error",
  "Method",
  "MixedInputs",
  "NotRun",
  "P_VALUE",
  "paired_t_test",
  "Pairs",
  "Panel",
  "paper_number",
  "PaperNumber",
  "Plane",
  "Reliability",
  "Result",
  "Robustness",
  "Row",
  "Snapshots",
  "Spectrograms",
  "standard_error",
  "Strip",
  "summarize",
)
