"""Flax models, one family a file.

Every model is called as `model.apply(variables, x, train=..., mix=None,
where=None)`, and returns `[batch, num_classes]` float32 logits. It calls
`mix(depth, hidden)` at depth 0 for the input; an MLP at depth d after its d-th
hidden layer, an image model at depth 1 after its stem and at d + 1 after its
d-th stage, a ViT after its d-th block. It knows nothing else about mixing.
`where`, `[batch]` booleans, is False for rows that only pad the batch: they are
not in the statistics of BatchNorm. `train` turns those of the batch on, and
dropout, which draws from the stream "dropout".

The autoencoder `vae.VAE` is no classifier, and is called by its own methods.
"""

import functools
from typing import Any, Callable

import flax.linen as nn

from mixup_jax.models.densenet import DenseNet
from mixup_jax.models.lenet import LeNet
from mixup_jax.models.mlp import MLP
from mixup_jax.models.preact_resnet import PreActResNet
from mixup_jax.models.resnet import ResNet
from mixup_jax.models.vgg import VGG
from mixup_jax.models.vit import ViT
from mixup_jax.models.wide_resnet import WideResNet

_RESNET101 = functools.partial(ResNet, blocks=(3, 4, 23, 3))
# The fields default to the sizes in the name.
MODELS: dict[str, Callable[..., nn.Module]] = {
  "preact_resnet18": PreActResNet,
  "wide_resnet28_10": WideResNet,
  "densenet_bc_190_40": DenseNet,
  "resnet50": ResNet,
  "resnet101": _RESNET101,
  "resnext101_32x4d": functools.partial(_RESNET101, groups=32, group_width=4),
  "resnext101_64x4d": functools.partial(_RESNET101, groups=64, group_width=4),
  "lenet": LeNet,
  "vgg11": VGG,
  "vit_s4": ViT,
  "vit_s16": functools.partial(ViT, patch_size=16),
  "mlp": MLP,
}


def build(name: str, *, num_classes: int, **sizes: Any) -> nn.Module:
  """Builds a model by its name.

  Args:
    name: A key of `MODELS`.
    num_classes: The number of logits.
    **sizes: Fields of the model, such as `hidden` of the MLP.

  Returns:
    The module, without parameters.

  Raises:
    ValueError: If the name is unknown, or the model cannot have such a size.
    TypeError: If the model has no such field.
  """
  if name not in MODELS:
    raise ValueError(
      f"unknown model {name!r}: choose one of {', '.join(MODELS)}."
    )
  return MODELS[name](num_classes=num_classes, **sizes)
