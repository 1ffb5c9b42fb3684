"""Section 3.8 of the paper, Table 5: what in mixup does it.

    python -m experiments.ablation --config=configs/ablation.py:smoke
    python -m experiments.ablation                      # digits, every row
    python -m experiments.ablation --workdir=DIR \
        --config=configs/ablation.py:dataset=cifar10
    python -m experiments.ablation --workdir=DIR \
        --config=configs/ablation.py:dataset=cifar10,rows=erm+mixup_ac_rp

The third is the paper's: PreAct-ResNet-18 on CIFAR-10, 22 rows at two weight
decays, and some rows that the paper does not have. The last one is two of them.
All else is as in section 3.2. The paper's numbers are in
`experiments/ablation/methods.py`, beside what makes each row.
"""

import ml_collections

from configs import arguments
from configs import cifar

DATASETS = ("digits", "cifar10")
# A row of each kind.
SMOKE_ROWS = (
  "erm",
  "mixup_ac_rp",
  "mixup_ac_knn",
  "layer_1",
  "inputs_ac_rp",
  "smoothing_0.1",
)


def get_config(argument: str = "") -> ml_collections.ConfigDict:
  """Returns the configuration.

  Args:
    argument: "dataset=NAME" (digits, cifar10), "rows=all" or "rows=NAME+NAME",
      "schedule=paper|short", "seeds=N", and "smoke" for a run of a minute.

  Returns:
    Plain values.

  Raises:
    ValueError: If there is no such argument, set or schedule.
  """
  given = arguments.parse(
    argument,
    dataset="digits",
    rows="all",
    schedule="paper",
    seeds=1,
    smoke=False,
  )
  if given["dataset"] not in DATASETS:
    raise ValueError(
      f"unknown set {given['dataset']!r} for the ablation: "
      f"choose one of {', '.join(DATASETS)}."
    )
  config = cifar.get_config(
    f"dataset={given['dataset']},schedule={given['schedule']}"
  )
  del config.method, config.partners  # The rows say both.
  config.rows = tuple(given["rows"].split("+"))
  config.seeds = given["seeds"]  # The paper does not say; one, it seems.
  config.alpha = 1.0  # Section 3.2; section 3.8 does not say.
  del config.optimizer.weight_decay
  config.weight_decays = (1e-4, 5e-4)  # Paper, section 3.8.
  config.k = 200  # Paper, section 3.8: nearest neighbours to draw from.
  config.mixed_share = 0.9  # Our choice, of the row whose mixing ends early.
  if given["dataset"] == "digits":
    config.model.blocks = (1, 1, 1, 1)  # Four stages, for layers 1 to 5.
    config.k = 20  # Of 140 images of a class.
  if given["smoke"]:
    config.model.width = 4
    config.epochs = 5
    config.weight_decays = (1e-4,)
    if given["rows"] == "all":
      config.rows = SMOKE_ROWS
  return config
