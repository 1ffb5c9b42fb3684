"""Section 3.3 of the paper, Figure 4: mixup on Google Speech Commands.

    python -m experiments.speech                            # tones, a minute
    python -m experiments.speech --workdir=DIR \
        --config=configs/speech.py:dataset=speech_commands_v0.01,model=vgg11

The first trains narrow networks on tones that it draws. On 2,050 clips of ten
words a narrow VGG-11 ended at a test error of 17.4 % with ERM, 18.9 % with
mixup, five minutes a network on one core of a CPU. The second is the paper's,
for an accelerator, and is not run. Its error in per cent, validation / test:

               ERM           alpha 0.1     alpha 0.2
    LeNet       9.8 / 10.3   10.1 / 10.8   10.2 / 11.3
    VGG-11      5.0 /  4.6    4.0 /  3.8    3.9 /  3.4

"Baseline" below is the code that the paper thanks for its baseline.
"""

from typing import Any

import ml_collections

from configs import arguments
from configs import mixing

MODELS = ("lenet", "vgg11")
LEVELS = ("spectrogram", "waveform")


def get_config(argument: str = "") -> ml_collections.ConfigDict:
  """Returns the configuration.

  Args:
    argument: "dataset=NAME" (tones, speech_commands_v0.01,
      speech_commands_v0.02, speech_commands_subset), "model=lenet|vgg11|all",
      "level=spectrogram|waveform|all", "seeds=N", and "smoke" for a run of half
      a minute, with LeNet if no model is given.

  Returns:
    Plain values.
  """
  given = arguments.parse(
    argument, dataset="tones", model="", level="all", seeds=1, smoke=False
  )
  on_tones = given["dataset"] == "tones"
  config = ml_collections.ConfigDict()
  config.dataset = given["dataset"]
  config.data_dir = ""  # Where sets are prepared; "" is the default of TFDS.
  usual = "lenet" if given["smoke"] else "all"
  config.models = _choice("model", given["model"] or usual, MODELS)
  # Where waveforms are mixed, or their spectrograms. The paper mixed
  # spectrograms, and found both reasonable.
  config.levels = _choice("level", given["level"], LEVELS)
  config.mix = mixing.get_mix(alpha=0.0)
  del config.mix.alpha  # In its place there are several.
  # Paper, section 3.3. ERM is always run.
  config.alphas = (0.1, 0.2)
  config.seeds = given["seeds"]  # The paper states none; one is inferred.
  config.first_seed = 0  # Our choice.
  config.partners = "global"  # As on one device; see mixup_jax/sharding/.
  config.bins = 160  # Paper, section 3.3; the baseline has 161.

  config.lenet = (
    _sizes(width=8, hidden=64) if on_tones else _sizes(width=20, hidden=1000)
  )  # Baseline.
  config.lenet.dropout = 0.5  # Baseline.
  config.vgg11 = (
    _sizes(width=4, hidden=64) if on_tones else _sizes(width=64, hidden=512)
  )  # Baseline.
  config.precision = "auto"  # Our choice: bfloat16 activations but on a CPU.

  config.optimizer = _sizes(name="adam")  # Paper, section 3.3.
  config.learning_rate = 3e-3  # Paper, section 3.3.
  config.decay_every = 10  # Epochs; paper, section 3.3.
  config.decay_factor = 0.1  # Paper, section 3.3.
  config.batch_size = 20 if on_tones else 100  # Paper, section 3.3.
  config.epochs = 30  # Paper, section 3.3.
  # Epochs without mixing; paper, section 3.3. That they count is inferred.
  config.mix.plain_first_epochs = 5
  if on_tones:
    config.epochs, config.decay_every = 6, 4
    config.mix.plain_first_epochs = 1
  if given["smoke"]:
    config.alphas = (0.2,)
    config.epochs = 4
  # Epochs between measurements and checkpoints; the last ten all have both.
  config.eval_every = 1  # Our choice.
  config.save_every = 300.0  # Seconds between checkpoints; changes no result.
  config.eval_batch_size = 100  # Our choice: it changes no result.
  config.steps_per_dispatch = 0  # Our choice: 1 on a CPU, else 100.
  return config


def _choice(name: str, given: str, known: tuple[str, ...]) -> tuple[str, ...]:
  """Returns one of the known names, or all."""
  if given not in (*known, "all"):
    raise ValueError(
      f"unknown {name} {given!r}: choose one of {', '.join(known)}, all."
    )
  return known if given == "all" else (given,)


def _sizes(**values: Any) -> ml_collections.ConfigDict:
  """Returns values as a config."""
  return ml_collections.ConfigDict(values)
