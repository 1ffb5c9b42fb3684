"""Mixing what a VAE decodes: a question, not a section of the paper.

    python -m experiments.vae_mixing                                   # digits
    python -m experiments.vae_mixing --config=configs/vae_mixing.py:smoke
    python -m experiments.vae_mixing --config=configs/vae_mixing.py:dataset=iris

Can data be mixed well without knowing them, by mixing labels and what a trained
VAE makes of the inputs? All of this is our choice, but the tables' training.
"""

import ml_collections

from configs import arguments

TABLES = ("abalone", "arcene", "arrhythmia", "htru2", "iris",
          "phishing_websites")


def get_config(argument: str = "") -> ml_collections.ConfigDict:
  """Returns the configuration.

  Args:
    argument: "dataset=NAME" (digits, or a table of section 3.6; "tables" for
      all six), "seeds=N", and "smoke" for a run of seconds.

  Returns:
    Plain values.
  """
  given = arguments.parse(argument, dataset="digits", seeds=20, smoke=False)
  config = ml_collections.ConfigDict()
  config.datasets = (TABLES if given["dataset"] == "tables" else
                     (given["dataset"],))
  config.data_dir = ""  # Where sets are prepared; "" is the default of TFDS.
  config.seeds = given["seeds"]
  config.first_seed = 0  # A seed fixes split, weights and batches.
  config.alphas = (0.2, 1.0)
  # Half of the rows train, as in section 3.6: 898 of the digits.
  config.train_fraction = 0.5
  config.scaling = "min_max"
  config.missing = "mean"
  config.categorical = "one_hot"

  config.vae = ml_collections.ConfigDict()
  config.vae.hidden = (128,)
  config.vae.num_latents = 8
  config.vae_steps = 4_000
  config.vae_batch_size = 64
  config.vae_learning_rate = 1e-3

  # The network, optimiser and batch of section 3.6, for digits too.
  config.model = ml_collections.ConfigDict()
  config.model.name = "mlp"
  config.model.hidden = (128, 128)
  config.optimizer = ml_collections.ConfigDict()
  config.optimizer.name = "adam"
  config.optimizer.learning_rate = 1e-3
  config.batch_size = 16
  # Of the tables as in section 3.6; digits take longer to learn.
  config.epochs = 50 if given["dataset"] == "digits" else 10
  config.layers = (1, 2)  # Of which manifold mixup draws one.

  config.seeds_per_device = 2  # At a time; fits a processor's cache.
  if given["smoke"]:
    config.seeds = 2
    config.alphas = (1.0,)
    config.vae_steps, config.epochs = 200, 5
  return config
