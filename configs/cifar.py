"""Section 3.2 of the paper, Figure 3: mixup on CIFAR-10 and CIFAR-100.

    python -m experiments.cifar                             # digits, a minute
    python -m experiments.cifar --config=configs/cifar.py:smoke
    python -m experiments.cifar --workdir=DIR \
        --config=configs/cifar.py:dataset=cifar10,model=preact_resnet18

The second is a smoke test: narrow networks on the 8 x 8 digits of scikit-learn.
The third is the paper's: about four hours a network on a GPU of 2017. Neither
dataset=svhn nor model=vit_s4 is in the paper.

The paper's test error in per cent, ERM -> mixup:

                CIFAR-10      CIFAR-100
    PreAct-18   5.6 -> 4.2    25.6 -> 21.1
    WRN-28-10   3.8 -> 2.7    19.4 -> 17.5
    DenseNet    3.7 -> 2.7    19.0 -> 16.8

On an H200, where an epoch of PreAct-18 took 1.6 s, ERM ended at 5.65 % and
mixup at 4.25 % on CIFAR-10; the others are not run. Ten epochs of networks of
width 8 took 42 minutes on two cores of a CPU, and ended at 21.4 and 27.4 %.

"Released code" below is the authors' own, which states more than the paper.
"""

from typing import Any

import ml_collections

from configs import arguments
from configs import mixing

DATASETS = ("cifar10", "cifar100")
MODELS = ("preact_resnet18", "wide_resnet28_10", "densenet_bc_190_40")
SCHEDULES = {"paper": 200, "short": 20}  # Epochs.


def get_config(argument: str = "") -> ml_collections.ConfigDict:
  """Returns the configuration.

  Args:
    argument: "dataset=NAME" (digits, cifar10, cifar100, svhn), "model=NAME"
      (one of `MODELS` or vit_s4), "method=erm|all|TRANSFORM", "seeds=N",
      "schedule=paper|short", and "smoke" for a run of seconds.

  Returns:
    Plain values.
  """
  given = arguments.parse(
    argument,
    dataset="digits",
    model="preact_resnet18",
    method="all",
    seeds=1,
    schedule="paper",
    smoke=False,
  )
  if given["schedule"] not in SCHEDULES:
    raise ValueError(
      f"unknown schedule {given['schedule']!r}: choose one of "
      f"{', '.join(SCHEDULES)}."
    )
  on_digits = given["dataset"] == "digits"
  config = ml_collections.ConfigDict()
  config.dataset = given["dataset"]
  config.data_dir = ""  # Where sets are prepared; "" is the default of TFDS.
  config.seeds = given["seeds"]  # The paper states none; one is inferred.
  config.first_seed = 0  # Our choice.
  config.mix = mixing.get_mix(alpha=1.0)  # Paper, section 3.2.
  mixing.choose(config, given["method"])
  config.partners = "global"  # As on one device; see mixup_jax/sharding/.

  config.model = _model(given["model"], on_digits)
  config.precision = "auto"  # Our choice: bfloat16 activations but on a CPU.
  config.average_decay = 0.0  # Of the weights, such as 0.999; 0 keeps none.

  config.optimizer = ml_collections.ConfigDict()
  config.optimizer.name = "sgd"  # Paper, section 3.2.
  config.optimizer.momentum = 0.9  # Released code.
  config.optimizer.nesterov = False  # Released code.
  config.optimizer.weight_decay = 1e-4  # Paper, section 3.2.
  config.learning_rate = 0.1  # Paper, section 3.2.
  config.rate_schedule = "step"  # Paper, section 3.2; or cosine.
  config.warmup_epochs = 0  # Paper, section 3.2: it names none.
  # After which shares of the epochs it drops: the paper's 100 and 150 of 200,
  # for the wide network 60, 120 and 180; whole epochs, if there are enough.
  config.decay_at = (0.3, 0.6, 0.9) if "wide" in given["model"] else (0.5, 0.75)
  config.decay_factor = 0.1  # Paper, section 3.2.
  config.augment = True  # Paper, section 3.2: crops and mirror images.
  config.num_train = 0  # How many training images, from the first; 0 takes all.
  config.batch_size = 32 if on_digits else 128  # Paper, section 3.2.
  # Paper, section 3.2; the short schedule is ours, of the same shape.
  config.epochs = SCHEDULES[given["schedule"]]
  if on_digits:
    if given["schedule"] != "paper":
      raise ValueError(
        f"schedule={given['schedule']} is of CIFAR: digits have 30 epochs, or "
        "what --config.epochs says."
      )
    config.epochs = 30
  if given["smoke"]:
    config.epochs = 10
  if given["model"].startswith("vit"):
    _train_transformer(config)

  # Epochs between measurements and checkpoints; the last ten all have both.
  config.eval_every = 1  # Our choice.
  config.save_every = 300.0  # Seconds between checkpoints; changes no result.
  config.eval_batch_size = 512  # Our choice: it changes no result.
  config.steps_per_dispatch = 0  # Our choice: 1 on a CPU, else 100.
  return config


def _train_transformer(config: ml_collections.ConfigDict) -> None:
  """Replaces SGD and its drops, with which a transformer trains badly.

  The values are those of Beyer et al., Better plain ViT baselines for
  ImageNet-1k, 2022, who clip gradients besides, and warm up for 8 of 90 epochs.
  Their weight decay of 1e-4 is not multiplied by the rate; this one is, and
  comes to the same.
  """
  config.optimizer = ml_collections.ConfigDict()
  config.optimizer.name = "adamw"
  config.optimizer.weight_decay = 0.1
  config.learning_rate = 3e-3 if config.dataset == "digits" else 1e-3
  config.rate_schedule = "cosine"
  config.warmup_epochs = config.epochs // 10


def _model(name: str, on_digits: bool) -> ml_collections.ConfigDict:
  """Returns the sizes of a network: those of the paper, or small ones."""
  networks: dict[str, dict[str, Any]] = {
    # The author's form, with the weights that PyTorch began from then.
    "preact_resnet18": {
      "width": 8 if on_digits else 64,
      "blocks": (1, 1, 1) if on_digits else (2, 2, 2, 2),
      "variant": "author",
      "bn_scale": "uniform",
    },
    "wide_resnet28_10": {
      "depth": 10 if on_digits else 28,
      "width": 1 if on_digits else 10,
    },
    "densenet_bc_190_40": {
      "depth": 22 if on_digits else 190,
      "growth": 8 if on_digits else 40,
    },
    # Not in the paper. On digits a patch has 2 x 2 pixels.
    "vit_s4": {
      "patch_size": 2 if on_digits else 4,
      "depth": 2 if on_digits else 12,
      "width": 32 if on_digits else 384,
      "heads": 2 if on_digits else 6,
    },
  }
  sizes = networks.get(name, {})  # An unknown name is refused with the others.
  model = ml_collections.ConfigDict({"name": name, **sizes})
  model.dropout = 0.0  # Paper, section 3.2.
  return model
