"""Saves checkpoints, and restores the latest intact one."""

import contextlib
import itertools
import os
import sys
import time
from typing import Any, Iterator, Mapping

import jax
from jax.experimental import multihost_utils
import numpy as np

from mixup_jax.runtime import storage
from mixup_jax.runtime.checkpoint import _leaves
from mixup_jax.runtime.checkpoint import _orbax
from mixup_jax.runtime.checkpoint import _reading

PyTree = Any

_COMMITTED = "commit_success.txt"  # Of orbax, in a bucket.
_NO_STEP = -1
_REMOVALS = 20  # Attempts, 0.05 seconds apart.


class Checkpoints:
  """Writes checkpoints in the background, and restores the latest intact one.

  Use it as a context manager: its exit waits for the write in progress. Several
  processes share the directory, and all must make the same calls.
  """

  def __init__(self, directory: str | os.PathLike[str], *, keep: int = 2):
    """Creates no file yet.

    Args:
      directory: The directory of checkpoints; the first save creates it.
      keep: The number of checkpoints to keep. The oldest one is deleted when a
        newer one is complete.

    Raises:
      ValueError: If `keep` is not positive.
    """
    if keep < 1:
      raise ValueError(
        f"keep must be at least 1, got {keep}: with 2 there is "
        "another one if the latest is damaged."
      )
    path = storage.path(directory, "the directory of checkpoints")
    self._directory = path if storage.in_bucket(path) else path.absolute()
    self._keep = keep
    self._writer: Any = None
    self._step = _NO_STEP  # The step that the writer was given last.
    self._is_checked = True  # Whether it was found where it should be.

  def __enter__(self) -> "Checkpoints":
    return self

  def __exit__(self, *_: object) -> None:
    self.close()

  def all_steps(self) -> list[int]:
    """Returns the steps of complete checkpoints, in order."""
    return [step for step, complete in self._found().items() if complete]

  def _found(self) -> dict[int, bool]:
    """Returns the steps there are, in order, and whether each is complete."""
    try:
      names = {path.name for path in self._directory.iterdir()}
    except FileNotFoundError:
      return {}
    steps = sorted(int(name) for name in names if name.isdecimal())
    # On a disk, orbax renames a directory to its number once it is written. In
    # a bucket it has its name from the start, and is marked at the end.
    return {
      step: not storage.in_bucket(self._directory)
      or (self._directory / str(step) / _COMMITTED).exists()
      for step in steps
    }

  def latest_step(self) -> int | None:
    """Returns the latest step with a complete checkpoint, or None."""
    return max(self.all_steps(), default=None)

  def save(
    self, step: int, state: PyTree, *, note: Mapping[str, Any] | None = None
  ) -> None:
    """Copies a state to the host, and writes it in the background.

    It does nothing if the step is saved already, or being saved.

    Args:
      step: The number of steps done.
      state: A tree of `jax.Array`.
      note: JSON values to keep with it; those of process 0.

    Raises:
      OSError: If this write or the previous one failed. Complete checkpoints
        stay intact.
      TypeError: If a leaf is no `jax.Array`, or a typed key; it names the leaf.
      ValueError: If there is a checkpoint of a later step, or an array has no
        elements, which orbax does not write.
    """
    latest = max(self._agreed_latest_step(), self._step)
    if step == latest:
      return
    if step < latest:
      raise ValueError(
        f"{self._directory} has a checkpoint of step {latest} already, got "
        f"step {step}: restore it first, or choose another directory."
      )
    self.wait()
    with jax.transfer_guard("allow"):
      arrays = _leaves.by_name(state)
      listed = _leaves.make_list(arrays, note or {})
      self._step, self._is_checked = step, False
      with self._as_os_error():
        self._write(step, arrays, listed)

  def restore(self, like: PyTree) -> tuple[int, PyTree] | None:
    """Restores the latest intact checkpoint.

    A damaged one is reported on stderr and moved aside, and the previous one is
    read.

    Args:
      like: A state of the same structure, of arrays or of
        `jax.ShapeDtypeStruct` with shardings. Its devices may differ from those
        of the saved state.

    Returns:
      The step and the state, or None if there is no checkpoint.

    Raises:
      OSError: If there are checkpoints, and none of them is intact, or one
        cannot be read, which then stays as it is.
      ValueError: If the checkpoint is of another model.
    """
    self.wait()
    while (step := self._agreed_latest_step()) != _NO_STEP:
      state, damage = self._read(step, like)
      if not damage:
        return step, state
      self._move_aside(step, damage)
    if self._directory.is_dir() and any(self._directory.glob("*.damaged*")):
      raise OSError(
        f"no checkpoint in {self._directory} is intact: put a copy "
        "of one there, or delete those named *.damaged to start "
        "from step 0."
      )
    return None

  def read(self, like: PyTree) -> tuple[int, PyTree] | None:
    """Reads the latest checkpoint of a run that is finished, and moves nothing.

    Args:
      like: As for `restore`.

    Returns:
      The step and the state, or None if there is no checkpoint.

    Raises:
      OSError: If the latest checkpoint is damaged, whose predecessor is of a
        network that is not finished, or cannot be read.
      ValueError: If the checkpoint is of another model.
    """
    step = self._agreed_latest_step()
    if step == _NO_STEP:
      return None
    state, damage = self._read(step, like)
    if damage:
      raise OSError(
        f"checkpoint {self._directory / str(step)} is damaged ({damage}): put "
        "a copy of it there, or give the run that wrote it its command again, "
        "which trains from the one before."
      )
    return step, state

  def _read(self, step: int, like: PyTree) -> tuple[PyTree, str]:
    """Returns the state of a step, or what its damage is."""
    wanted = _leaves.by_name(like)
    values, damage = _reading.read(self._directory / str(step), wanted)
    if damage:
      return None, damage
    arrays = [
      _leaves.put(values[name], x.sharding) for name, x in wanted.items()
    ]
    return jax.tree.unflatten(jax.tree.structure(like), arrays), ""

  def note(self, step: int) -> dict[str, Any]:
    """Returns the note of a checkpoint that was restored, {} if it has none."""
    return _leaves.read_list(self._directory / str(step))[1]

  def wait(self) -> None:
    """Waits for the write in progress; raises OSError if it failed."""
    if self._step == _NO_STEP:
      return
    with self._as_os_error():
      self._writer.wait_until_finished()
      if jax.process_index() == 0 and not self._is_checked:
        # It may have reported success, and written elsewhere or nothing.
        _reading.check_written(self._directory / str(self._step))
      self._is_checked = True
    if jax.process_index() == 0:
      for step in self.all_steps()[: -self._keep]:
        self._remove(self._directory / str(step))

  def close(self) -> None:
    """Waits as `wait` does, and ends the threads of the writer."""
    try:
      self.wait()
    finally:
      if self._writer is not None:
        self._writer.close()
      self._writer, self._step = None, _NO_STEP

  def _write(
    self, step: int, arrays: Mapping[str, jax.Array], listed: Mapping[str, Any]
  ) -> None:
    """Starts to write arrays and their list."""
    ocp = _orbax.load()
    if self._writer is None:
      # Not a CheckpointManager: it asks jax for notices of preemption with its
      # own numbers, which breaks those of the loop, and it hides an error of
      # one process while it waits 20 minutes for the others.
      self._writer = ocp.AsyncCheckpointer(ocp.CompositeCheckpointHandler())
    if jax.process_index() == 0:
      self._directory.mkdir(parents=True, exist_ok=True)
      self._remove_partial()
    self._writer.save(
      self._directory / str(step),
      args=ocp.args.Composite(
        state=ocp.args.StandardSave(arrays), leaves=ocp.args.JsonSave(listed)
      ),
    )

  @contextlib.contextmanager
  def _as_os_error(self) -> Iterator[None]:
    """Converts an error of a write to an OSError."""
    try:
      yield
    except Exception as error:
      path = self._directory / str(self._step)
      self._step = _NO_STEP
      kind, remedy = OSError, _orbax.remedy(error, "choose another directory")
      if storage.is_transient(error):
        kind, remedy = storage.Unavailable, "run the same command again"
      elif jax.process_index() == 0:
        self._remove_partial()
      raise kind(
        f"could not write the checkpoint {path} ({_orbax.reason(error)}): "
        f"{remedy}; earlier checkpoints are intact."
      ) from error

  def _remove_partial(self) -> None:
    """Removes the files of killed and failed writes."""
    # After an array fails, others may be written for a moment, and a new file
    # in a directory prevents its removal.
    for _ in range(_REMOVALS):
      partial = list(self._directory.glob("*.orbax-checkpoint-tmp*"))
      partial += [
        self._directory / str(step)
        for step, complete in self._found().items()
        if not complete
      ]
      if not partial:
        break
      for path in partial:
        storage.remove(path)
      time.sleep(0.05)

  def _remove(self, path: storage.Path) -> None:
    """Removes a complete checkpoint; at no time may half of it count as one."""
    if storage.in_bucket(path):
      (path / _COMMITTED).unlink(missing_ok=True)
    storage.remove(path)

  def _agreed_latest_step(self) -> int:
    """Returns the latest step that process 0 sees, in all processes."""
    latest = self.latest_step()
    step = np.int32(_NO_STEP if latest is None else latest)
    with jax.transfer_guard("allow"):
      return int(multihost_utils.broadcast_one_to_all(step))

  def _move_aside(self, step: int, damage: str) -> None:
    """Renames a damaged checkpoint, so that its step can be saved again."""
    if jax.process_index() == 0:
      path = self._directory / str(step)
      names = (f"{step}.damaged{number or ''}" for number in itertools.count())
      aside = next(
        path.with_name(name)
        for name in names
        if not path.with_name(name).exists()
      )
      path.rename(aside)
      print(
        f"checkpoint {path} is damaged ({damage}): renamed to {aside.name}, "
        "reading the previous one",
        file=sys.stderr,
      )
    with jax.transfer_guard("allow"):
      multihost_utils.sync_global_devices("a damaged checkpoint was moved")
