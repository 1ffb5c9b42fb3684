"""Section 3.6 of the paper, Table 4: mixup on tables.

    python -m experiments.tabular                           # Iris, a minute
    python -m experiments.tabular --config=configs/tabular.py:dataset=all
    python -m experiments.tabular --config=configs/tabular.py:smoke
    python -m experiments.tabular --config.mix.name=cutmix
    python -m experiments.tabular --config=configs/tabular.py:map

The second took three minutes on two cores of a CPU; mixup has a higher mean
error than ERM on five of the six tables, and no difference is significant. The
last is a map of 24 protocols, and looks for the one that is closest to the
paper's numbers.

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
      "scaling=NAME", "map" for all tables under many protocols, and "smoke" for
      a run of seconds.

  Returns:
    Plain values.
  """
  given = arguments.parse(
    argument, dataset="", seeds=0, scaling="min_max", map=False, smoke=False
  )
  is_map, smoke = given["map"], given["smoke"]
  dataset = given["dataset"] or ("all" if is_map and not smoke else "iris")
  config = ml_collections.ConfigDict()
  config.datasets = TABLES if dataset == "all" else (dataset,)
  config.data_dir = ""  # Where sets are prepared; "" is the default of TFDS.
  # Our choice, as is the first seed.
  config.seeds = given["seeds"] or (4 if smoke else 12 if is_map else 50)
  config.first_seed = 0  # A seed fixes split, weights and batches.
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

  # At a time; 0 is 2 on a processor, whose cache they fit, and as many as the
  # memory holds elsewhere. A run resumes after such a group: fewer lose less.
  config.seeds_per_device = 0

  # All combinations of these replace the fields of the same names; without any
  # there is one protocol. What the paper does not give, of our choice.
  config.grid = ml_collections.ConfigDict()
  if is_map:
    config.grid.scaling = ("none", "min_max", "standard")
    config.grid.train_fraction = (0.5,) if smoke else (0.5, 0.67, 0.8, 0.9)
    config.grid.model = ml_collections.ConfigDict()
    config.grid.model.initializer = ("torch", "flax")
  return config
