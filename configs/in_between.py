"""Figures 1b and 2 of the paper: what networks do in between the examples.

    python -m experiments.in_between                        # a minute or two
    python -m experiments.in_between --config=configs/in_between.py:part=rings
    python -m experiments.in_between --workdir=DIR \
        --config=configs/in_between.py:part=pairs,dataset=cifar10
    python -m experiments.in_between --config.networks=RUN

Part "rings" is Figure 1b, a toy in the plane. Part "pairs" is Figure 2, between
two images; it trains its networks as section 3.2, or takes those of a finished
RUN of experiments.cifar. The paper says little of either figure: what it does
not say is our choice, and marked so.
"""

import ml_collections

from configs import arguments
from configs import cifar


def get_config(argument: str = "") -> ml_collections.ConfigDict:
  """Returns the configuration.

  Args:
    argument: "part=rings|pairs|all", "dataset=NAME" (digits, cifar10,
      cifar100), "schedule=paper|short", "seeds=N" for both parts (by default 10
      for rings, which take seconds, and 1 for images), and "smoke" for a run of
      seconds.

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
  del config.method  # Both, always.
  if given["dataset"] == "digits" and not given["smoke"]:
    config.epochs = 20  # Enough to show it; the two parts take two minutes.
  config.part = given["part"]
  config.networks = ""  # A finished run of experiments.cifar; "" trains.
  # The values of lam: 0, .05, ..., 1, as in Figure 2.
  config.num_lams = 21
  # Of training images; 0 gives each one partner. Figure 2 has multiples of
  # 0.002 %, so 50,000 pairs, it seems.
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
  config.rings.alpha = 1.0  # The paper's.
  # Our choice: the network and the optimiser of section 3.6, all points in each
  # batch, and steps enough for ERM to fit them.
  config.rings.hidden = (128, 128)
  config.rings.learning_rate = 1e-3
  config.rings.steps = 200 if given["smoke"] else 1000
  return config
