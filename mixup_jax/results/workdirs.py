"""The working directory of a run: writable, and of one config."""

import json
import math
import os
import shutil
from typing import Any, Mapping

import jax

from mixup_jax.results import files
from mixup_jax.runtime import storage

_NEEDED_BYTES = 16 * 2**20
# orbax takes them for patterns and separators, writes its files elsewhere, and
# reports success; of bytes that are no UTF-8 it can write none.
_REFUSED = set("[]*?\\")
# Where data lies, and how a machine works on them, changes no result.
_NOT_BINDING = {
  "config.data_dir",
  "config.workers",
  "config.save_every",
  "config.steps_per_dispatch",
  "config.eval_batch_size",
  "config.seeds_at_once",
  "config.seeds_per_device",
}
# Which networks there are, where each has a directory named after it.
_WHICH = {
  *("config.seeds", "config.first_seed", "config.method", "config.cells"),
  *("config.rows", "config.weight_decays", "config.models", "config.levels"),
  "config.alphas",
}


def check(
  workdir: str | os.PathLike[str],
  config: Mapping[str, Any] | None = None,
  *,
  of_networks: bool = False,
) -> storage.Path:
  """Creates a working directory, and checks that a run can use it.

  Args:
    workdir: The directory.
    config: The config of the run.
    of_networks: Whether all that a run keeps are networks, each in a directory
      named after it. Then a config may ask for more of them, or fewer.

  Returns:
    Its path.

  Raises:
    OSError: If it cannot be created or written to, or its disk is full.
    ValueError: If its path has a character that checkpoints cannot have, or it
      holds a run with another config.
  """
  path = storage.path(workdir, "workdir")
  _check_name(path)
  free = math.inf  # Of a bucket.
  try:
    storage.check_writable(path, name=f".probe{jax.process_index()}")
    if not storage.in_bucket(path):
      free = shutil.disk_usage(path).free
  except storage.Unavailable:
    raise
  except OSError as error:
    raise OSError(
      f"cannot write to the working directory {path} "
      f"({error.strerror}): choose another with --workdir."
    ) from error
  if free < _NEEDED_BYTES:
    raise OSError(
      f"the disk of the working directory {path} has only "
      f"{free / 2**20:.1f} MiB left: free some, or choose another "
      "directory with --workdir."
    )
  if config is not None and (path / "config.json").exists():
    _check_config(path, config, _WHICH if of_networks else set())
  return path


def _check_name(path: storage.Path) -> None:
  """Raises if checkpoints cannot be written to a path."""
  found = {
    character
    for character in str(path if storage.in_bucket(path) else path.absolute())
    if character in _REFUSED or "\ud800" <= character <= "\udfff"
  }
  if found:
    raise ValueError(
      f"the working directory {str(path)!r} has {' '.join(sorted(found))!r} in "
      "its path, where checkpoints would be lost: choose another with "
      "--workdir."
    )


def _check_config(
  path: storage.Path, config: Mapping[str, Any], free: set[str]
) -> None:
  """Raises if a directory belongs to a run with another config."""
  try:
    text = (path / "config.json").read_text("utf-8")
    before = _plain(json.loads(text))
  except ValueError:
    raise ValueError(
      f"{path / 'config.json'} is damaged: put a copy of it there, or choose "
      "another directory with --workdir."
    ) from None
  now = _plain(config)
  changed = [
    f"  {name}: {before.get(name, 'nothing')} there, "
    f"{now.get(name, 'nothing')} here"
    for name in dict.fromkeys([*before, *now])
    if before.get(name) != now.get(name)
    and name not in free
    and _binds(name, config)
  ]
  if changed:
    raise ValueError(
      f"the working directory {path} holds a run with another config:\n"
      + "\n".join(changed)
      + "\nChoose another directory with --workdir, or the same config to "
      "continue."
    )


def _binds(name: str, config: Mapping[str, Any]) -> bool:
  """Returns whether a field of a config can change a result."""
  # A VAE draws the codes of a whole batch of test examples at once.
  draws = name == "config.eval_batch_size" and "vae" in config
  return draws or name not in _NOT_BINDING


def _plain(config: Any) -> dict[str, Any]:
  """Returns the leaves of a config as the file has them."""
  return flat(json.loads(files.to_json(config)))


def flat(tree: Any, name: str = "config") -> dict[str, Any]:
  """Returns the leaves of nested dicts by their dotted names."""
  if not isinstance(tree, dict):
    return {name: tree}
  leaves: dict[str, Any] = {}
  for key, value in tree.items():
    leaves |= flat(value, f"{name}.{key}")
  return leaves
