"""mixup for JAX: transforms, losses and metrics as pure functions.

Importing this package imports jax and numpy, and nothing heavier.

    inputs, targets = mixup_jax.mixup(key, images, labels, alpha=0.2)
    loss = mixup_jax.losses.cross_entropy(logits, targets).mean()
"""

from mixup_jax import losses
from mixup_jax import metrics
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.transforms import *  # noqa: F401, F403

__all__ = ("losses", "metrics", "sharding", "transforms", *transforms.__all__)
