"""The claims of the paper, and which of our numbers stand beside each."""

from typing import NamedTuple

from mixup_jax import results

MEDIAN = "test error (%), median of the last 10 epochs"


class Claim(NamedTuple):
  """A line of the table of results: a claim of the paper, and a run.

  Attributes:
    section: The section or figure.
    page: The page of results, without its ending.
    paper: The claim, as the table shows it.
    run: What was run, as the table shows it.
    file: The result file, without its ending.
    metric: The metric of the two rows that are compared.
    mixup: The label of the method that is compared with ERM.
    change: The change that the paper reports, in the unit of the metric; None
      if it gives no numbers.
    sign: The direction of the change: -1 down, 1 up, 0 not in the paper.
    at_papers_size: Whether data and network are those of the paper.
    setting: How the setting of the two rows begins.
    erm: The label of the method that is compared with.
    difference: The metric of paired differences, if the file has one.
    examples: The test examples of a run of one seed.
    decimals: Those of the numbers shown.
    in_readme: Whether `README.md` shows the line, too.
  """

  section: str
  page: str
  paper: str
  run: str
  file: str
  metric: str
  mixup: str
  change: float | None = None
  sign: int = -1
  at_papers_size: bool = False
  setting: str = ""
  erm: str = "ERM"
  difference: str = ""
  examples: int = 0
  decimals: int = 1
  in_readme: bool = True


TENTH = "5,000 images"  # The first of CIFAR-10.
CLAIMS = (
  Claim(
    "3.1 ImageNet",
    "imagenet",
    "ResNet-50: 23.6 → 22.1",
    "20 classes",
    "tiny_imagenet_60",
    "top-1 error (%), last epoch",
    "mixup, alpha 0.2",
    change=-1.5,
  ),
  Claim(
    "3.2 CIFAR",
    "cifar",
    "PreAct-18: 5.6 → 4.2",
    "the same",
    "cifar_h200",
    MEDIAN,
    "mixup, alpha 1",
    change=-1.4,
    at_papers_size=True,
    erm="ERM, 193 of 200 epochs",
    examples=10_000,
    decimals=2,
  ),
  Claim(
    "3.2",
    "cifar",
    "the same",
    TENTH,
    "cifar_tenth",
    MEDIAN,
    "mixup, alpha 1",
    change=-1.4,
    in_readme=False,
  ),
  Claim(
    "3.2",
    "cifar",
    "the same",
    "4,500 images",
    "calibration_tenth",
    "test error (%)",
    "mixup, alpha 1",
    change=-1.4,
    in_readme=False,
  ),
  Claim(
    "3.3 Speech",
    "speech",
    "VGG-11: 4.6 → 3.4",
    "2,050 clips",
    "speech_vgg",
    "test error (%), last epoch",
    "spectrogram, alpha 0.2",
    change=-1.2,
    setting="speech_commands_subset, vgg11",
  ),
  Claim(
    "3.4 Corrupted labels",
    "corrupted_labels",
    "80 % noise: 73.9 → 30.9",
    "digits",
    "corrupted_digits",
    "last test error (%)",
    "mixup, alpha 32",
    change=-43.0,
    setting="80 % replaced",
  ),
  Claim(
    "3.4",
    "corrupted_labels",
    "50 % noise: 44.6 → 12.7",
    TENTH,
    "corrupted_tenth",
    "last test error (%)",
    "mixup, alpha 32",
    change=-31.9,
  ),
  Claim(
    "3.5 Attacks",
    "adversarial",
    "FGSM: 90.7 → 75.2",
    TENTH,
    "adversarial_tenth",
    "top-1 error (%), white box, FGSM",
    "mixup, alpha 1",
    change=-15.5,
  ),
  Claim(
    "3.6 Tables",
    "tabular",
    "Arrhythmia: 56.6 → 46.3",
    "splits",
    "tabular",
    "test error (%)",
    "mixup, alpha 0.1",
    change=-10.3,
    at_papers_size=True,
    setting="arrhythmia",
    difference=results.DIFFERENCE,
  ),
  Claim(
    "3.7 GANs",
    "gan",
    "mixup keeps all modes",
    "modes of 25",
    "gan_readings",
    "modes covered",
    "mixup, alpha 0.2",
    sign=1,
    setting="grid, width 128, after 20,000",
  ),
  Claim(
    "3.8 Ablation",
    "ablation",
    "5.53 → 4.24",
    TENTH,
    "ablation_tenth",
    MEDIAN,
    "mixup, AC + RP",
    change=-1.29,
    setting="weight decay 1e-4",
  ),
  Claim(
    "Figure 1b",
    "in_between",
    "unsure between classes",
    "rings, %",
    "rings",
    "area of the window with 0.1 < p < 0.9 (%)",
    "mixup, alpha 1",
    sign=1,
    at_papers_size=True,
  ),
  Claim(
    "Figure 2",
    "in_between",
    "misses: 16.5 → 6.0",
    TENTH,
    "in_between_tenth",
    "misses (%), lam 0.5",
    "mixup, alpha 1",
    change=-10.5,
  ),
  Claim(
    "Figure 2",
    "in_between",
    "gradient: 0.18 → 0.04",
    TENTH,
    "in_between_tenth",
    "norm of the input gradient, lam 0.5",
    "mixup, alpha 1",
    change=-0.14,
    in_readme=False,
  ),
  Claim(
    "Calibration",
    "calibration",
    "ECE",
    "4,500 images",
    "calibration_tenth",
    "ECE, equal width (%)",
    "mixup, alpha 1",
    sign=0,
  ),
  Claim(
    "VAE mixing",
    "vae_mixing",
    "inputs → codes",
    "digits",
    "vae_mixing_digits",
    "test error (%)",
    "VAE codes, mixed",
    sign=0,
    erm="input mixup",
    difference="minus input mixup, paired (%)",
  ),
)
