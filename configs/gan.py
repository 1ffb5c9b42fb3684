"""Section 3.7 of the paper: mixup in GANs, on Gaussians in the plane.

    python -m experiments.gan --config=configs/gan.py:smoke
    python -m experiments.gan --workdir=RUN
    python -m experiments.gan --config=configs/gan.py:part=stability

The first command is a smoke test of less than a minute. The second is the
paper's game with five seeds, for a GPU: an iteration of one seed takes 5.4
GFLOP. On one core of a CPU it takes four hours with --config.long_seeds=1;
after 5,000 iterations, mixup covers 13 of the 25 modes of the grid, ERM 1.4.
The third takes six minutes on two cores. The paper has no numbers.

Three readings of the paper differ in what the networks see. The discriminator's
batch is that of the formula (mixup) or of the released code (mixup_code); the
generator's step is the released code's, on points that are not mixed
(saturating), or the formula's, on those of the discriminator (min_max).
Formula and code are mixup with min_max, and mixup_code with saturating; mixup
with saturating, the default, is in between.
"""

import ml_collections

from configs import arguments


def get_config(argument: str = "") -> ml_collections.ConfigDict:
  """Returns the configuration.

  Args:
    argument: "part=modes" (the paper's figure, and the modes covered) or
      "part=stability" (modes over learning rates and widths),
      "dataset=ring|grid|all", "method=erm|mixup|mixup_code" or several joined
      by "+", "loss=saturating|non_saturating|min_max" or several so joined,
      "seeds=N", and "smoke".

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
  # The first is the released code's; the formula's is min_max.
  config.generator_losses = tuple(given["loss"].split("+"))
  stability = given["part"] == "stability"
  config.seeds = given["seeds"] or (2 if stability or given["smoke"] else 5)
  config.first_seed = 0  # Our choice; so is the number of seeds.
  # This many of the seeds play `iterations`, the others `short_iterations`.
  config.long_seeds = config.seeds
  config.iterations = 20_000  # Paper, section 3.7, as all that follows.
  config.short_iterations = 5_000  # Our choice, for a CPU.
  config.snapshots = (10, 100, 1_000, 10_000, 20_000)  # Paper, its figure.
  config.alpha = 0.2
  config.hidden = (512, 512, 512)
  config.num_latents = 2
  config.batch_size = 128
  config.discriminator_steps = 5
  config.learning_rate = 1e-3  # Adam's default, as are its other settings.
  # Our choices: when and on how many points to measure, and how many to show.
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
    config.short_iterations = config.iterations  # All seeds play as long.
    config.long_seeds = config.seeds
  if given["smoke"]:
    config.hidden = (32, 32)
    config.widths, config.learning_rates = (16, 32), (1e-3, 3e-3)
    config.iterations, config.short_iterations = 200, 100
    config.long_seeds, config.measure_every = 1, 50
    config.snapshots = (10, 100, 200)
  return config
