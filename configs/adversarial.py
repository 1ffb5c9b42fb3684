"""Section 3.5 of the paper, Table 3: adversarial examples.

    python -m experiments.adversarial                       # digits, minutes
    python -m experiments.adversarial --config=configs/adversarial.py:smoke
    python -m experiments.adversarial --workdir=DIR --config.networks=RUN

It attacks the networks of a finished RUN of experiments.cifar with two seeds or
more, or trains them as section 3.2. The paper attacks ResNet-101 on ImageNet;
where it is silent, the choice below is ours and marked so.
"""

import ml_collections

from configs import arguments
from configs import cifar


def get_config(argument: str = "") -> ml_collections.ConfigDict:
  """Returns the configuration.

  Args:
    argument: "dataset=NAME" (digits, cifar10, cifar100),
      "schedule=paper|short", "seeds=N" (two or more), and "smoke" for a run
      of a minute.

  Returns:
    Plain values.
  """
  given = arguments.parse(
    argument, dataset="digits", schedule="paper", seeds=0, smoke=False
  )
  smoke = "smoke," if given["smoke"] else ""
  # The paper has two networks of ERM and one of mixup.
  seeds = given["seeds"] or (2 if given["smoke"] else 3)
  config = cifar.get_config(
    f"{smoke}dataset={given['dataset']},"
    f"schedule={given['schedule']},seeds={seeds}"
  )
  del config.method  # Both, always.
  config.networks = ""  # A finished run of experiments.cifar; "" trains.
  config.num_images = 0  # Of the test images, from the first; 0 takes all.

  # Paper, section 3.5: 4 for each pixel. That pixels go from 0 to 255, and stay
  # in that range, is inferred. Digits take more to be mistaken.
  on_digits = given["dataset"] == "digits"
  config.epsilon = 16.0 if on_digits else 4.0
  config.iterations = 10  # Paper, section 3.5: I-FGSM, steps of epsilon / 10.
  # Our choice, as the stronger attack: projected gradient descent from random
  # points of the ball, in steps of 2.5 epsilon / pgd_steps, as Madry et al.
  config.pgd_steps = 5 if given["smoke"] else 50
  config.restarts = 1 if given["smoke"] else 3
  # Our choice: the radii of the curves. Digits take more to be mistaken.
  on_digits = given["dataset"] == "digits"
  config.epsilons = (
    (0.0, 4.0, 16.0, 32.0, 64.0) if on_digits else (0.0, 1.0, 2.0, 4.0, 8.0)
  )
  config.attack_seed = 0  # Of the random points; our choice.
  config.num_shown = 8  # Images in the picture.
  return config
