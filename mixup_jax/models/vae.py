"""A variational autoencoder, dense or convolutional."""

import math
from typing import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp

Array = jax.Array


class VAE(nn.Module):
  """Encodes examples as Gaussians, and decodes codes to the mean of another.

  The deviation of what is decoded is one number for all examples and values,
  learned with the rest, so that no weight of the reconstruction has to be
  chosen for a set.

  Attributes:
    shape: The shape of an example, without the batch.
    latent: How many numbers a code has.
    hidden: The width of each dense layer of the encoder; the decoder has them
      in reverse.
    channels: The maps of each convolution in front of these, each of which
      halves height and width. With none the network is dense, and takes
      examples of any shape.

  References:
    Kingma and Welling, Auto-encoding variational Bayes, ICLR 2014, section 3;
    Rybkin et al., Simple and effective VAE training with calibrated decoders,
    ICML 2021, for the deviation.
  """

  shape: Sequence[int]
  latent: int = 16
  hidden: Sequence[int] = (128,)
  channels: Sequence[int] = ()

  def __post_init__(self) -> None:
    """Raises ValueError for sizes that the convolutions cannot halve."""
    factor = 2 ** len(self.channels)
    if self.channels and (
      len(self.shape) != 3 or any(size % factor for size in self.shape[:2])
    ):
      raise ValueError(
        f"channels={tuple(self.channels)} halve height and width "
        f"{len(self.channels)} times, which examples of shape "
        f"{tuple(self.shape)} do not allow: give fewer, or () for dense "
        "layers alone."
      )
    super().__post_init__()

  def setup(self) -> None:
    """Makes the layers."""
    widths = *self.channels[-2::-1], self.shape[-1]
    self.down = [nn.Conv(n, (4, 4), strides=2) for n in self.channels]
    self.up = [
      nn.ConvTranspose(n, (4, 4), strides=(2, 2))
      for n in widths[: len(self.channels)]
    ]
    self.inward = [nn.Dense(n) for n in self.hidden]
    self.outward = [nn.Dense(n) for n in self.hidden[::-1]]
    self.head = nn.Dense(2 * self.latent)
    self.tail = nn.Dense(math.prod(self._core()))
    self.log_sigma = self.param("log_sigma", nn.initializers.zeros, ())

  def _core(self) -> tuple[int, ...]:
    """Returns the shape between dense layers and convolutions."""
    if not self.channels:
      return tuple(self.shape)
    factor = 2 ** len(self.channels)
    height, width, _ = self.shape
    return height // factor, width // factor, self.channels[-1]

  def encode(self, x: Array) -> tuple[Array, Array]:
    """Returns mean and log variance, `[batch, latent]`, of examples."""
    for conv in self.down:
      x = nn.relu(conv(x))
    x = x.reshape(len(x), -1)
    for dense in self.inward:
      x = nn.relu(dense(x))
    mean, log_variance = jnp.split(self.head(x), 2, axis=-1)
    return mean, log_variance

  def decode(self, codes: Array) -> Array:
    """Returns `[batch, *shape]` examples of `[batch, latent]` codes."""
    x = codes
    for dense in self.outward:
      x = nn.relu(dense(x))
    x = self.tail(x).reshape(-1, *self._core())
    for conv in self.up:
      x = conv(nn.relu(x))
    return x

  def reconstruct(self, x: Array) -> Array:
    """Returns what is decoded from the means of `[batch, *shape]` examples."""
    return self.decode(self.encode(x)[0])

  def __call__(self, x: Array, key: Array) -> Array:
    """Estimates the evidence lower bound with one code an example.

    Args:
      x: `[batch, *shape]` floating-point examples.
      key: A typed PRNG key, consumed: it draws the codes.

    Returns:
      `[batch]` lower bounds of log p(x), in nats.
    """
    mean, log_variance = self.encode(x)
    noise = jax.random.normal(key, mean.shape, mean.dtype)
    decoded = self.decode(mean + jnp.exp(log_variance / 2) * noise)
    distance = ((x - decoded) ** 2).reshape(len(x), -1)
    constant = self.log_sigma + math.log(2 * math.pi) / 2
    likelihood = -(
      distance.sum(1) * jnp.exp(-2 * self.log_sigma) / 2
      + distance.shape[1] * constant
    )
    divergence = mean**2 + jnp.exp(log_variance) - 1 - log_variance
    return likelihood - divergence.sum(1) / 2
