"""Figures 1b and 2 of the paper: networks in between the training examples.

    python -m experiments.in_between
    python -m experiments.in_between --config=configs/in_between.py:smoke
    python -m experiments.in_between --config=configs/in_between.py:part=rings
    python -m experiments.in_between --workdir=DIR \
        --config=configs/in_between.py:part=pairs,dataset=cifar10
    python -m experiments.in_between --config.networks=RUN

Part "rings" is Figure 1b, a toy set in the plane, and takes a minute on two
cores: with ERM p is between 0.1 and 0.9 on 9 % of the plane, with mixup on 32.
Part "pairs" is Figure 2, between two images. It trains networks of section 3.2,
on digits in another minute, or reads those of a finished RUN of
experiments.cifar. The smoke test takes half a minute.

Where the paper is silent, the choice below is marked as ours.
"""

import ml_collections

from configs import arguments
from configs import cifar


def get_config(argument: str = "") -> ml_collections.ConfigDict:
  """Returns the configuration.

  Args:
    argument: "part=rings|pairs|all", "dataset=NAME" (digits, cifar10,
      cifar100), "schedule=paper|short", "seeds=N" for both parts (by default 10
      for rings, which take seconds, and 1 for images), and "smoke".

  Returns:
    Plain values.
  """
  given = arguments.parse(
    argument,
    part="all",
    dataset="digits",
    schedule="paper",
    seeds=0,
    smoke=False,
  )
  smoke = "smoke," if given["smoke"] else ""
  config = cifar.get_config(
    f"{smoke}dataset={given['dataset']},"
    f"schedule={given['schedule']},"
    f"seeds={given['seeds'] or 1}"
  )
  del config.method  # ERM and config.mix, always.
  if given["dataset"] == "digits" and not given["smoke"]:
    config.epochs = 20  # Enough to show the difference.
  config.part = given["part"]
  config.networks = ""  # A finished run of experiments.cifar; "" trains.
  # The values of lam: 0, .05, ..., 1, as in Figure 2.
  config.num_lams = 21
  # Of training images; 0 gives each one partner. The values of Figure 2 are
  # multiples of 0.002 %, so that it seems to be of 50,000 pairs.
  config.num_pairs = 0

  config.rings = ml_collections.ConfigDict()
  config.rings.seeds = given["seeds"] or (2 if given["smoke"] else 10)  # Ours.
  # These four and the window were measured in the paper's figure.
  config.rings.inner = 256
  config.rings.outer = 102
  config.rings.ratio = 0.3
  config.rings.noise = 0.05
  config.rings.limit = 1.2  # The window goes from -1.2 to 1.2,
  config.rings.pixels = 127  # and has so many points each way.
  config.rings.alpha = 1.0  # Of mixup; paper, Figure 1b.
  # Our choice: the network and the optimiser of section 3.6, all points in each
  # batch, and as many steps as ERM needs to fit them.
  config.rings.hidden = (128, 128)
  config.rings.learning_rate = 1e-3
  config.rings.steps = 200 if given["smoke"] else 1000
  return config
