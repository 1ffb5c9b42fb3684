"""Section 3.7 of the paper: mixup in GANs, on Gaussians in the plane.

    python -m experiments.gan --config=configs/gan.py:smoke      # a minute
    python -m experiments.gan --workdir=RUN                      # the paper's
    python -m experiments.gan --config=configs/gan.py:part=stability

The first command takes a processor a minute, the second hours: one
iteration is five billion multiplications and additions. The paper has pictures
of one network each, and no numbers.
"""

import ml_collections

from configs import arguments


def get_config(argument: str = "") -> ml_collections.ConfigDict:
  """Returns the configuration.

  Args:
    argument: "part=modes" (the paper's figure, and numbers of it) or
      "part=stability" (over learning rates and widths),
      "dataset=ring|grid|all", "method=erm|mixup|mixup_code" or several joined
      by "+", "loss=saturating|non_saturating" or both so joined, "seeds=N", and
      "smoke".

  Returns:
    Plain values.
  """
  given = arguments.parse(
    argument,
    part="modes",
    dataset="all",
    method="erm+mixup",
    loss="saturating",
    seeds=0,
    smoke=False,
  )
  config = ml_collections.ConfigDict()
  config.part = given["part"]
  # The paper's figure has both; the grid is its first row.
  config.datasets = (
    ("grid", "ring") if given["dataset"] == "all" else (given["dataset"],)
  )
  config.methods = tuple(given["method"].split("+"))
  config.generator_losses = tuple(given["loss"].split("+"))
  stability = given["part"] == "stability"
  config.seeds = given["seeds"] or (2 if stability or given["smoke"] else 5)
  config.first_seed = 0  # Our choice; so is the number of seeds.
  # So many of the seeds play to the end, the others `short_iterations`.
  config.long_seeds = config.seeds
  config.iterations = 20_000  # Paper, section 3.7; so is what follows.
  config.short_iterations = 5_000  # Our choice, what a processor can do.
  config.snapshots = (10, 100, 1_000, 10_000, 20_000)  # Paper, in its figure.
  config.alpha = 0.2
  config.hidden = (512, 512, 512)
  config.num_latents = 2
  config.batch_size = 128
  config.discriminator_steps = 5
  config.learning_rate = 1e-3  # The default of Adam, as its other settings are.
  # Our choices: when and on how many points to measure, and how many to draw.
  config.measure_every = 1_000
  config.num_points = 2_500
  config.num_shown = 1_000  # As in the paper's released code.
  # Part "stability".
  config.learning_rates = (1e-4, 3e-4, 1e-3, 3e-3)
  config.widths = (32, 64, 128)
  if stability:
    config.datasets = (
      (given["dataset"],) if given["dataset"] != "all" else ("ring",)
    )
    config.iterations = config.measure_every = 3_000
    config.short_iterations = config.iterations  # There are no others.
    config.long_seeds = config.seeds
  if given["smoke"]:
    config.hidden = (32, 32)
    config.widths, config.learning_rates = (16, 32), (1e-3, 3e-3)
    config.iterations, config.short_iterations = 200, 100
    config.long_seeds, config.measure_every = 1, 50
    config.snapshots = (10, 100, 200)
  return config
