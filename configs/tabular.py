"""Section 3.6 of the paper, Table 4: mixup on tables.

    python -m experiments.tabular                           # Iris, a minute
    python -m experiments.tabular --config=configs/tabular.py:dataset=all
    python -m experiments.tabular --config=configs/tabular.py:smoke
    python -m experiments.tabular --config.mix.name=cutmix

The second took three minutes on two cores of a CPU; mixup has a higher mean
error than ERM on five of the six tables, and no difference is significant.

The paper gives the network, the optimiser, the number of epochs and the batch
size. It does not give alpha, the split, the scaling of the columns, the
initializer or the number of runs: those below are our choice, and marked so.

The paper's test error in per cent, ERM -> mixup: Abalone 74.0 -> 73.6,
Arcene 57.6 -> 48.0, Arrhythmia 56.6 -> 46.3, HTRU2 2.0 -> 2.0, Iris
21.3 -> 17.3, Phishing 16.3 -> 15.2. The last is, by its errors, the set
website_phishing, of 1,353 rows; its file was not at hand, and dataset=all has
phishing_websites in its place, of 11,055.
"""

import ml_collections

from configs import arguments
from configs import mixing

TABLES = (
  "abalone",
  "arcene",
  "arrhythmia",
  "htru2",
  "iris",
  "phishing_websites",
)


def get_config(argument: str = "") -> ml_collections.ConfigDict:
  """Returns the configuration.

  Args:
    argument: "dataset=NAME" ("all" for those of `TABLES`), "seeds=N",
      "scaling=NAME", and "smoke" for a run of seconds.

  Returns:
    Plain values.
  """
  given = arguments.parse(
    argument, dataset="iris", seeds=50, scaling="min_max", smoke=False
  )
  config = ml_collections.ConfigDict()
  config.datasets = TABLES if given["dataset"] == "all" else (given["dataset"],)
  config.data_dir = ""  # Where sets are prepared; "" is the default of TFDS.
  config.seeds = 4 if given["smoke"] else given["seeds"]  # Our choice.
  config.first_seed = 0  # Our choice. A seed fixes split, weights and batches.
  config.mix = mixing.get_mix(alpha=0.0)
  del config.mix.alpha  # In its place there are several.
  config.alphas = (0.1, 0.2, 0.4, 1.0)  # Our choice. ERM is always run.

  config.train_fraction = 0.5  # Our choice: repeated stratified splits.
  config.scaling = given["scaling"]  # Ours: min_max, standard or none.
  config.missing = "mean"  # Our choice: mean, or drop such columns.
  config.categorical = "one_hot"  # Our choice: one_hot, ordinal or drop.

  config.model = ml_collections.ConfigDict()
  config.model.name = "mlp"  # Paper, section 3.6.
  config.model.hidden = (128, 128)  # Paper, section 3.6.
  config.model.initializer = "torch"  # Our choice: torch, or flax.
  config.optimizer = ml_collections.ConfigDict()
  config.optimizer.name = "adam"  # Paper, section 3.6.
  config.optimizer.learning_rate = 1e-3  # "Default setting" of Adam.
  config.batch_size = 16  # Paper, section 3.6.
  config.epochs = 10  # Paper, section 3.6.

  config.seeds_per_device = 2  # At a time; fits a processor's cache.
  return config
