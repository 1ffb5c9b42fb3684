"""A small variational autoencoder, of vectors or of images."""

import math
from typing import Any, Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

Array = jax.Array


class VAE(nn.Module):
  """Codes with a normal distribution, and inputs that are normal given them.

  Attributes:
    shape: The shape of an input, without the batch: `(features,)`, or `(height,
      width, channels)` for images.
    num_latents: The size of a code.
    hidden: The widths of the dense layers of the encoder; the decoder has them
      in the opposite order.
    channels: The channels of convolutions with stride 2 before them, whose
      opposites come last in the decoder; none for vectors. Height and width
      must be divisible by 2 to their number.
  """
  shape: Sequence[int]
  num_latents: int
  hidden: Sequence[int] = (256,)
  channels: Sequence[int] = ()

  def setup(self) -> None:
    factor = 2**len(self.channels)
    if self.channels and any(size % factor for size in self.shape[:2]):
      raise ValueError(f"{len(self.channels)} convolutions of stride 2 cannot "
                       f"halve images of {self.shape[:2]}: use fewer channels.")
    # Any: to the type checker, all layers are of the class of the first.
    self.narrowing: Any = [
        nn.Conv(width, (3, 3), strides=2) for width in self.channels
    ]
    self.inner = ([size // factor for size in self.shape[:2]] +
                  [self.channels[-1]] if self.channels else list(self.shape))
    self.encoding: Any = [nn.Dense(width) for width in self.hidden]
    self.posterior = nn.Dense(2 * self.num_latents)
    self.decoding: Any = [nn.Dense(width) for width in reversed(self.hidden)]
    self.widening: Any = [
        nn.ConvTranspose(width, (3, 3), strides=(2, 2))
        for width in [*reversed(self.channels[:-1]), self.shape[-1]]
    ] if self.channels else []
    self.output = nn.Dense(math.prod(self.inner))
    # Of what the decoder leaves: one number, learned.
    self.log_std = self.param("log_std", nn.initializers.zeros, ())

  def encode(self, x: Array) -> tuple[Array, Array]:
    """Returns the mean and the log variance of codes, `[batch, latents]`."""
    for layer in self.narrowing:
      x = nn.relu(layer(x))
    x = x.reshape(len(x), -1)
    for layer in self.encoding:
      x = nn.relu(layer(x))
    mean, log_variance = jnp.split(self.posterior(x), 2, axis=-1)
    return mean, log_variance

  def decode(self, codes: Array) -> Array:
    """Returns the mean of the inputs, `[batch, ...]`, given codes."""
    x = codes
    for layer in self.decoding:
      x = nn.relu(layer(x))
    x = self.output(x).reshape(len(x), *self.inner)
    for layer in self.widening:
      x = layer(nn.relu(x))
    return x

  def __call__(self, x: Array, key: Array) -> Array:
    """Returns the evidence lower bound of each input.

    Args:
      x: `[batch, ...]` inputs.
      key: A typed PRNG key, consumed: one code is drawn for each input.

    Returns:
      `[batch]`, in nats.

    References:
      Kingma and Welling, Auto-Encoding Variational Bayes, 2014, eq. 10.
    """
    mean, log_variance = self.encode(x)
    noise = jax.random.normal(key, mean.shape)
    away = x - self.decode(mean + jnp.exp(log_variance / 2) * noise)
    away = away.reshape(len(x), -1)
    likelihood = -(jnp.square(away) * jnp.exp(-2 * self.log_std) / 2 +
                   self.log_std + math.log(2 * math.pi) / 2).sum(-1)
    divergence = (jnp.square(mean) + jnp.exp(log_variance) - log_variance -
                  1).sum(-1) / 2
    return likelihood - divergence
