"""Section 3.8 of the paper, Table 5: which part of mixup helps.

    python -m experiments.ablation --config=configs/ablation.py:smoke
    python -m experiments.ablation                      # digits, every row
    python -m experiments.ablation --workdir=DIR \
        --config=configs/ablation.py:dataset=cifar10
    python -m experiments.ablation --workdir=DIR \
        --config=configs/ablation.py:dataset=cifar10,rows=erm+mixup_ac_rp

The second took 34 minutes for three seeds on two cores of a CPU, and all its
rows have errors of 0.8 to 3.0 %. The third is the paper's, for an accelerator,
and is not run: PreAct-ResNet-18 on CIFAR-10, 22 rows at two weight decays, and
some rows that the paper does not have. The last one is two of them. All else is
as in section 3.2.
"""

from typing import Any, NamedTuple

import ml_collections

from configs import arguments
from configs import cifar


class Row(NamedTuple):
  """A row of Table 5.

  AC and SC are partners of all classes or of the same class; RP and KNN are
  partners at random in the batch, or among the nearest neighbours in the
  training set.

  Attributes:
    label: Its name.
    paper: The test error in per cent at weight decay 1e-4 and 5e-4, None if
      the paper does not have the row.
    mix: Options of `config.mix` that it changes; None is ERM.
    neighbors: Whose nearest neighbours the partners are: "all classes" or
      "same class"; "" takes them from the batch.
    ends_early: Whether the last epochs are not mixed.
  """

  label: str
  paper: tuple[float, float] | None
  mix: dict[str, Any] | None
  neighbors: str = ""
  ends_early: bool = False


def _layers(*layers: int) -> dict[str, Any]:
  return {"name": "manifold", "layers": layers}


def _smoothing(epsilon: float, name: str = "label_smoothing") -> dict[str, Any]:
  return {"name": name, "epsilon": epsilon}


def _noise(sigma: float) -> dict[str, Any]:
  return {"name": "gaussian_noise", "sigma": sigma}


_MIXUP, _INPUTS = {"name": "mixup"}, {"name": "inputs_only"}
_BOTH = "inputs_with_smoothing"

# Zhang et al., ICLR 2018, Table 5: layer n is what enters stage n of the
# network, layer 5 what enters pooling. The last eight are ours; "mix" is the
# transform of `config.mix`.
ROWS = {
  "erm": Row("ERM", (5.53, 5.18), None),
  "mixup_ac_rp": Row("mixup, AC + RP", (4.24, 4.68), _MIXUP),
  "mixup_ac_knn": Row("mixup, AC + KNN", (4.98, 5.26), _MIXUP, "all classes"),
  "layer_1": Row("mixup of layer 1", (4.44, 4.51), _layers(1)),
  "layer_2": Row("mixup of layer 2", (4.56, 4.61), _layers(2)),
  "layer_3": Row("mixup of layer 3", (5.39, 5.55), _layers(3)),
  "layer_4": Row("mixup of layer 4", (5.95, 5.43), _layers(4)),
  "layer_5": Row("mixup of layer 5", (5.39, 5.15), _layers(5)),
  "inputs_sc_knn": Row(
    "inputs only, SC + KNN", (5.45, 5.52), _INPUTS, "same class"
  ),
  "inputs_ac_knn": Row(
    "inputs only, AC + KNN", (5.43, 5.48), _INPUTS, "all classes"
  ),
  "inputs_sc_rp": Row(
    "inputs only, SC + RP", (5.23, 5.55), {"name": "inputs_only_same_class"}
  ),
  "inputs_ac_rp": Row("inputs only, AC + RP", (5.17, 5.72), _INPUTS),
  "smoothing_0.05": Row(
    "label smoothing, 0.05", (5.25, 5.02), _smoothing(0.05)
  ),
  "smoothing_0.1": Row("label smoothing, 0.1", (5.33, 5.17), _smoothing(0.1)),
  "smoothing_0.2": Row("label smoothing, 0.2", (5.34, 5.06), _smoothing(0.2)),
  "inputs_smoothing_0.05": Row(
    "inputs and label smoothing, 0.05", (5.02, 5.4), _smoothing(0.05, _BOTH)
  ),
  "inputs_smoothing_0.1": Row(
    "inputs and label smoothing, 0.1", (5.08, 5.09), _smoothing(0.1, _BOTH)
  ),
  "inputs_smoothing_0.2": Row(
    "inputs and label smoothing, 0.2", (4.98, 5.06), _smoothing(0.2, _BOTH)
  ),
  "inputs_smoothing_0.4": Row(
    "inputs and label smoothing, 0.4", (5.25, 5.39), _smoothing(0.4, _BOTH)
  ),
  "noise_0.05": Row("Gaussian noise, 0.05", (5.53, 5.04), _noise(0.05)),
  "noise_0.1": Row("Gaussian noise, 0.1", (6.41, 5.86), _noise(0.1)),
  "noise_0.2": Row("Gaussian noise, 0.2", (7.16, 7.24), _noise(0.2)),
  "cutmix": Row("CutMix", None, {"name": "cutmix"}),
  "resizemix": Row("ResizeMix", None, {"name": "resizemix"}),
  "fmix": Row("FMix", None, {"name": "fmix"}),
  "regmixup": Row("RegMixup", None, {"name": "regmixup"}),
  "manifold": Row(
    "mixup of a drawn layer, 0 to 4", None, _layers(0, 1, 2, 3, 4)
  ),
  "per_example": Row(
    "mixup, lam drawn for each example", None, {**_MIXUP, "per_example": True}
  ),
  "ends_early": Row(
    "mixup, switched off at the end", None, _MIXUP, ends_early=True
  ),
  "mix": Row("as config.mix", None, {}),
}
# Not "mix": without options it is "mixup_ac_rp" again.
ALL_ROWS = tuple(name for name in ROWS if name != "mix")

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
  del config.method  # The rows are the methods.
  del config.partners  # All partners are those of one device.
  config.rows = tuple(given["rows"].split("+"))
  config.seeds = given["seeds"]  # The paper states none; one is inferred.
  # Alpha is that of section 3.2; section 3.8 does not state it.
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
