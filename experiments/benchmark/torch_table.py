"""A plain PyTorch loop over the seeds of a table, without jax.

python -m experiments.benchmark.torch_table DATA.npz ALPHA...
"""

import sys
from typing import Any, Sequence

import numpy as np

from experiments.benchmark import official


def train(
  torch: Any,
  inputs: np.ndarray,
  labels: np.ndarray,
  train_rows: np.ndarray,
  test_rows: np.ndarray,
  *,
  seed: int,
  alpha: float,
) -> float:
  """Trains the network of the paper, 2 x 128 ReLU, with Adam for 10 epochs.

  Args:
    torch: The module.
    inputs: `[rows, columns]` float32, scaled.
    labels: `[rows]` class ids, the largest of which is there.
    train_rows: `[training rows]` row numbers.
    test_rows: `[test rows]` row numbers.
    seed: Of weights, order and partners.
    alpha: Of mixup; 0 is ERM.

  Returns:
    The test error in per cent.
  """
  torch.manual_seed(seed)
  x = torch.from_numpy(np.ascontiguousarray(inputs))
  y, learnt, held_out = (
    torch.from_numpy(np.ascontiguousarray(each)).long()
    for each in (labels, train_rows, test_rows)
  )
  nn = torch.nn
  net = nn.Sequential(
    nn.Linear(x.shape[1], 128),
    nn.ReLU(),
    nn.Linear(128, 128),
    nn.ReLU(),
    nn.Linear(128, 1 + int(labels.max())),
  )
  entropy = nn.functional.cross_entropy
  optimizer = torch.optim.Adam(net.parameters())
  for _ in range(10):
    for rows in learnt[torch.randperm(len(learnt))].split(16):
      optimizer.zero_grad()
      if alpha:
        mixed, own, other, lam = official.mixup(torch, x[rows], y[rows], alpha)
        logits = net(mixed)
        loss = lam * entropy(logits, own) + (1 - lam) * entropy(logits, other)
      else:
        loss = entropy(net(x[rows]), y[rows])
      loss.backward()
      optimizer.step()
  with torch.no_grad():
    predicted = net(x[held_out]).argmax(1)
  return 100 * float((predicted != y[held_out]).float().mean())


def main(argv: Sequence[str]) -> None:
  """Prints the mean error at each alpha over the seeds of a file."""
  import torch  # `train` is given it, where the others are.

  path, *alphas = argv
  data = np.load(path)
  labels, rows = data["labels"], (data["train_rows"], data["test_rows"])
  for alpha in map(float, alphas):
    errors = [
      train(torch, inputs, labels, *own, seed=seed, alpha=alpha)
      for seed, (inputs, *own) in enumerate(zip(data["inputs"], *rows))
    ]
    print(f"alpha {alpha:g}: {np.mean(errors):.2f} %")


if __name__ == "__main__":
  main(sys.argv[1:])
