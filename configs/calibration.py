"""How sure ERM and mixup are, and how sure they should be.

    python -m experiments.calibration                       # digits, minutes
    python -m experiments.calibration --config=configs/calibration.py:smoke
    python -m experiments.calibration --workdir=DIR \
        --config=configs/calibration.py:dataset=cifar10

The networks are those of section 3.2, trained on all but the images that the
temperature is fitted on. The paper has no such numbers: they are what others
found in its networks afterwards (Thulasidasan et al., NeurIPS 2019).
"""

import ml_collections

from configs import arguments
from configs import cifar


def get_config(argument: str = "") -> ml_collections.ConfigDict:
  """Returns the configuration.

  Args:
    argument: "dataset=NAME" (digits, cifar10, cifar100),
      "schedule=paper|short", "seeds=N", and "smoke" for a run of a minute.

  Returns:
    Plain values.
  """
  given = arguments.parse(
    argument, dataset="digits", schedule="paper", seeds=0, smoke=False
  )
  smoke = "smoke," if given["smoke"] else ""
  seeds = given["seeds"] or (1 if given["smoke"] else 5)
  config = cifar.get_config(
    f"{smoke}dataset={given['dataset']},"
    f"schedule={given['schedule']},seeds={seeds}"
  )
  del config.method  # Both, always.
  config.networks = ""  # Others were trained on what the temperature needs.
  # Our choice: the share of the training images, evenly over the classes, that
  # no network is trained on, and the draw of them. Of the few digits it takes
  # more, or hardly one is mistaken and the temperature means nothing.
  config.held_out = 0.3 if given["dataset"] == "digits" else 0.1
  config.held_out_seed = 0
  return config
