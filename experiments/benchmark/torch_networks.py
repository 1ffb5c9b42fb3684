"""The residual networks in PyTorch, for comparison.

Their parameters have the names of ours: `stage1_block1.conv1.weight` there is
`stage1_block1/conv1/kernel` here.
"""

import collections
from typing import Any, Sequence


def preact_resnet(
  torch: Any,
  *,
  num_classes: int = 10,
  width: int = 64,
  blocks: Sequence[int] = (2, 2, 2, 2),
  variant: str = "author",
) -> Any:
  """Returns a PreAct-ResNet, "author", "official" or "modern"."""
  widths = [width * 2**stage for stage in range(len(blocks))]
  return _network(
    torch,
    stem=width,
    widths=widths,
    blocks=blocks,
    num_classes=num_classes,
    stem_norm=variant == "official",
    activated_shortcut=variant == "official",
    final_norm=variant == "modern",
  )


def wide_resnet(
  torch: Any, *, num_classes: int = 10, depth: int = 28, width: int = 10
) -> Any:
  """Returns a Wide ResNet."""
  network = _network(
    torch,
    stem=16,
    widths=[16 * width, 32 * width, 64 * width],
    blocks=[(depth - 4) // 6] * 3,
    num_classes=num_classes,
    final_norm=True,
  )
  for parameter in network.parameters():
    if parameter.ndim > 1:
      torch.nn.init.kaiming_normal_(parameter)
  torch.nn.init.zeros_(network.head.bias)
  return network


def _network(
  torch: Any,
  *,
  stem: int,
  widths: Sequence[int],
  blocks: Sequence[int],
  num_classes: int,
  stem_norm: bool = False,
  activated_shortcut: bool = False,
  final_norm: bool = False,
) -> Any:
  """Returns stages of pre-activation blocks between a stem and a head."""
  nn, features = torch.nn, stem
  parts = collections.OrderedDict(stem=_conv(torch, 3, stem, 3))
  if stem_norm:
    parts["stem_norm"] = _norm(torch, stem)
    parts["stem_relu"] = nn.ReLU()
  for stage, (width, count) in enumerate(zip(widths, blocks), start=1):
    for block in range(1, count + 1):
      stride = 2 if stage > 1 and block == 1 else 1
      parts[f"stage{stage}_block{block}"] = _block(
        torch, features, width, stride, activated_shortcut
      )
      features = width
  if final_norm:
    parts["final_norm"] = _norm(torch, features)
    parts["final_relu"] = nn.ReLU()
  parts["pool"] = nn.AdaptiveAvgPool2d(1)
  parts["flatten"] = nn.Flatten()
  parts["head"] = nn.Linear(features, num_classes)
  return nn.Sequential(parts)


def _block(
  torch: Any, inputs: int, features: int, stride: int, activated_shortcut: bool
) -> Any:
  """Returns a pre-activation block."""

  class Block(torch.nn.Module):
    """Two 3x3 convolutions behind BatchNorm and ReLU, and a shortcut."""

    def __init__(self) -> None:
      super().__init__()
      self.norm1 = _norm(torch, inputs)
      self.conv1 = _conv(torch, inputs, features, 3, stride)
      self.norm2 = _norm(torch, features)
      self.conv2 = _conv(torch, features, features, 3)
      self.shortcut = None
      if stride > 1 or inputs != features:
        self.shortcut = _conv(torch, inputs, features, 1, stride)

    def forward(self, x: Any) -> Any:
      activated = torch.relu(self.norm1(x))
      if self.shortcut is not None:
        x = self.shortcut(activated)
      elif activated_shortcut:
        x = activated
      h = torch.relu(self.norm2(self.conv1(activated)))
      return x + self.conv2(h)

  return Block()


def _conv(
  torch: Any, inputs: int, features: int, size: int, stride: int = 1
) -> Any:
  """Returns a convolution without bias."""
  return torch.nn.Conv2d(
    inputs, features, size, stride=stride, padding=size // 2, bias=False
  )


def _norm(torch: Any, features: int) -> Any:
  """Returns BatchNorm whose scale starts from U(0, 1), as up to version 1.1."""
  norm = torch.nn.BatchNorm2d(features)
  torch.nn.init.uniform_(norm.weight)
  return norm
