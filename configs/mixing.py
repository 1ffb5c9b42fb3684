"""The part of a config that sets what is drawn instead of the examples."""

import ml_collections

NAME = "mixup"  # Any key of `mixup_jax.recipes.mixing.TRANSFORMS` will do.


def get_mix(alpha: float, name: str = NAME) -> ml_collections.ConfigDict:
  """Returns the options of every transform; each uses those that it has.

  Args:
    alpha: Concentration of lam ~ Beta(alpha, alpha).
    name: The transform.

  Returns:
    Plain values, to be a config's field `mix`.
  """
  mix = ml_collections.ConfigDict()
  mix.name = name
  mix.alpha = alpha
  # One lam an example instead of one a batch, as in the released code.
  mix.per_example = False
  mix.group_size = 0  # Examples of a batch that share a lam; 0 is all.
  mix.fold = False  # Whether lam becomes max(lam, 1 - lam).
  mix.probability = 1.0  # Of mixing a batch at all.
  mix.plain_first_epochs = 0  # Epochs before mixing begins.
  mix.plain_last_epochs = 0  # Epochs after it has ended.
  mix.epsilon = 0.1  # Of label_smoothing and inputs_with_smoothing.
  mix.sigma = 0.1  # Of gaussian_noise, in units of normalised inputs.
  mix.scale = (0.1, 0.8)  # Of resizemix: the shares of a side to draw from.
  mix.decay = 3.0  # Of fmix: the power by which frequencies are damped.
  mix.eta = 1.0  # Of regmixup: the weight of the loss of the mixed examples.
  mix.layers = (0, 1, 2)  # Of manifold: the depths to draw from.
  return mix


def choose(config: ml_collections.ConfigDict, method: str) -> None:
  """Sets a config's methods from an argument: "erm", "all" or a transform.

  Args:
    config: The config, with its field `mix`.
    method: "all" runs ERM and `config.mix`, "erm" ERM alone; a name of a
      transform runs that one alone.
  """
  config.method = method if method in ("erm", "all") else "mix"
  if config.method == "mix":
    config.mix.name = method
