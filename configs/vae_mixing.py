"""Mixing without knowledge of the data: what a trained autoencoder decodes.

    python -m experiments.vae_mixing                        # digits, minutes
    python -m experiments.vae_mixing --config=configs/vae_mixing.py:smoke
    python -m experiments.vae_mixing --config=configs/vae_mixing.py:dataset=iris
    python -m experiments.vae_mixing \
        --config=configs/vae_mixing.py:dataset=small_tables
    python -m experiments.vae_mixing \
        --config=configs/vae_mixing.py:dataset=cifar10,seeds=5

The paper does not do this: all numbers are our choice. They are the same for
every method, and but for CIFAR-10 only the epochs differ from set to set. The
networks of CIFAR-10 are narrow, and its images are not augmented.
"""

import ml_collections

from configs import arguments

SMALL = ("arrhythmia", "iris")
LARGE = ("abalone", "htru2", "phishing_websites")


def get_config(argument: str = "") -> ml_collections.ConfigDict:
  """Returns the configuration.

  Args:
    argument: "dataset=NAME" (digits, cifar10, a table, "small_tables" or
      "large_tables"), "seeds=N", "method=all" or "method=NAME+NAME", and
      "smoke" for a run of less than a minute.

  Returns:
    Plain values.
  """
  given = arguments.parse(
    argument, dataset="digits", seeds=0, method="all", smoke=False
  )
  config = ml_collections.ConfigDict()
  name = given["dataset"]
  groups = {"small_tables": SMALL, "large_tables": LARGE}
  config.datasets = groups.get(name, (name,))
  config.data_dir = ""  # Where sets are prepared; "" is the default of TFDS.
  config.seeds = given["seeds"] or (2 if given["smoke"] else 20)
  config.first_seed = 0  # A seed fixes split, weights, batches and mixing.
  # Side by side; 0 is 20 on a processor, and as many as the memory holds
  # elsewhere. A run resumes after such a group: fewer lose less.
  config.seeds_at_once = 0
  config.methods = tuple(given["method"].split("+"))
  config.alpha = 1.0
  config.layers = (0, 1, 2)  # Of manifold mixup, which draws one for a batch.

  config.train_fraction = 0.5  # Split anew for each seed; 0 is as it comes.
  config.num_train = 0  # Training examples of the classifiers; 0 is all.
  config.vae_num_train = 0  # Those of the VAE, which needs no labels.
  config.scaling = "standard"  # Of tables, as in configs/tabular.py.
  config.missing = "mean"
  config.categorical = "one_hot"

  config.vae = ml_collections.ConfigDict()
  config.vae.latent = 16
  config.vae.hidden = (128,)
  config.vae.channels = ()
  # On digits the bound is 3 nats higher than after 100.
  config.vae_epochs = 300
  config.model = ml_collections.ConfigDict()
  config.model.name = "mlp"
  config.model.hidden = (128, 128)
  config.epochs = 100
  config.learning_rate = 1e-3  # Of Adam, for both networks.
  config.batch_size = 64
  config.eval_batch_size = 512
  # An epoch is one program at most; 0 is what suits convolutions.
  config.steps_per_dispatch = 1000
  config.num_shown = 3  # Pairs in the picture.
  if name == "cifar10":
    _narrow(config)
  if name == "iris":
    config.vae_epochs = 3000  # Of two steps: the bound is 1.2 nats higher.
  if set(config.datasets) & set(LARGE):
    config.epochs, config.vae_epochs = 20, 60  # Of up to 140 steps.
  if given["smoke"]:
    config.epochs = config.vae_epochs = 5
    if name == "cifar10":
      config.num_train = config.vae_num_train = 500
  return config


def _narrow(config: ml_collections.ConfigDict) -> None:
  """Makes the networks convolutional, and narrow."""
  config.seeds_at_once = 1  # Convolutions of one fill a processor.
  config.train_fraction = 0.0
  config.vae.latent = 64
  config.vae.hidden = (256,)
  config.vae.channels = (16, 32, 64)
  config.vae_epochs = 30
  config.model = ml_collections.ConfigDict()
  config.model.name = "preact_resnet18"
  config.model.width = 16
  config.model.blocks = (1, 1, 1)
  config.epochs = 30
  config.batch_size = 128
  config.steps_per_dispatch = 0
