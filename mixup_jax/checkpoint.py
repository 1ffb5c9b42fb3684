"""Checkpoints that are whole, or known not to be.

    DIRECTORY/STEP/state/      the arrays, by name, as orbax writes them
    DIRECTORY/STEP/leaves/     shape, dtype and CRC-32 of each, as JSON
    DIRECTORY/STEP.damaged/    what could not be read; nothing here deletes it

orbax does not see a flipped bit, and casts to another dtype without a word. The
list of leaves is what tells a damaged checkpoint, and that of another model.
"""

import contextlib
import functools
import itertools
import json
import logging
import os
import pathlib
import re
import shutil
import sys
from typing import Any, Callable, Iterator, Mapping
import warnings
import zlib

import jax
from jax.experimental import multihost_utils
import numpy as np

PyTree = Any
Leaves = dict[str, dict[str, Any]]

_NO_STEP = -1
_TEXT_BYTES = 1024


class Checkpoints:
  """Writes checkpoints in the background, and reads the newest whole one.

  Use it as a context manager: leaving it waits for the write under way. Several
  processes share the directory, and each must make all calls.
  """

  def __init__(self, directory: str | os.PathLike[str], *, keep: int = 2):
    """Touches no file yet.

    Args:
      directory: Where the checkpoints are; the first save makes it.
      keep: How many to keep. The oldest goes when a newer one is complete.

    Raises:
      ValueError: If `keep` is not positive.
    """
    if keep < 1:
      raise ValueError(f"keep must be at least 1, got {keep}: with 2 there is "
                       "one to go back to when the newest is damaged.")
    self._directory = pathlib.Path(directory).expanduser().absolute()
    self._keep = keep
    self._writer: Any = None
    self._step = _NO_STEP  # What was given to the writer last.

  def __enter__(self) -> "Checkpoints":
    return self

  def __exit__(self, *_: object) -> None:
    self.close()

  def all_steps(self) -> list[int]:
    """Returns the steps whose checkpoints are complete, in order."""
    if not self._directory.is_dir():
      return []
    # orbax renames a directory to its number when all in it is written.
    names = [path.name for path in self._directory.iterdir()]
    return sorted(int(name) for name in names if name.isdecimal())

  def latest_step(self) -> int | None:
    """Returns the newest step whose checkpoint is complete, if there is one."""
    return max(self.all_steps(), default=None)

  def save(self,
           step: int,
           state: PyTree,
           *,
           extra: Mapping[str, Any] | None = None) -> None:
    """Copies a state to the host, and writes it in the background.

    A step that is saved already, or about to be, is left as it is.

    Args:
      step: The number of steps done.
      state: A tree of `jax.Array`.
      extra: JSON values for people and other programs, written beside it.

    Raises:
      OSError: If this write or the one before it failed. Checkpoints that were
        complete stay as they are.
      ValueError: If there is a checkpoint of a later step.
    """
    latest = max(self._agreed_latest_step(), self._step)
    if step == latest:
      return
    if step < latest:
      raise ValueError(
          f"{self._directory} has a checkpoint of step {latest} already, got "
          f"step {step}: restore it first, or choose another directory.")
    self.wait()
    with jax.transfer_guard("allow"):
      arrays = _by_name(state)
      listed: dict[str, Any] = {
          "leaves": {
              name: _describe(_host_value(x)) for name, x in arrays.items()
          },
          "extra": dict(extra or {})
      }
      listed["crc32"] = _crc_of_list(listed)
      self._step = step
      with self._told():
        self._write(step, arrays, listed)

  def restore(self, like: PyTree) -> tuple[int, PyTree] | None:
    """Reads the newest checkpoint that is whole.

    A damaged one is reported on the standard error and moved aside, and the one
    before it is read.

    Args:
      like: The state to fill, of arrays or of `jax.ShapeDtypeStruct` with
        shardings. Its devices may be others than those it was saved from.

    Returns:
      The step and the state, or None if there is no checkpoint.

    Raises:
      OSError: If there are checkpoints, and none of them is whole.
      ValueError: If the checkpoint is of another model.
    """
    self.wait()
    wanted = _by_name(like)
    while (step := self._agreed_latest_step()) != _NO_STEP:
      values, damage = _read(self._directory / str(step), wanted)
      if not damage:
        arrays = [_put(values[name], x.sharding) for name, x in wanted.items()]
        return step, jax.tree.unflatten(jax.tree.structure(like), arrays)
      self._move_aside(step, damage)
    if self._directory.is_dir() and any(self._directory.glob("*.damaged*")):
      raise OSError(f"no checkpoint in {self._directory} is whole: put a copy "
                    "of one there, or delete those named *.damaged to start "
                    "from the beginning.")
    return None

  def wait(self) -> None:
    """Waits for the write under way; raises OSError if it failed."""
    if self._step == _NO_STEP:
      return
    with self._told():
      self._writer.wait_until_finished()
    if jax.process_index() == 0:
      for step in self.all_steps()[:-self._keep]:
        shutil.rmtree(self._directory / str(step), ignore_errors=True)

  def close(self) -> None:
    """Waits, as `wait` does, and ends the threads of the writer."""
    try:
      self.wait()
    finally:
      if self._writer is not None:
        self._writer.close()
      self._writer, self._step = None, _NO_STEP

  def _write(self, step: int, arrays: Mapping[str, jax.Array],
             listed: Mapping[str, Any]) -> None:
    """Starts to write arrays and the list of them."""
    ocp = _orbax()
    if self._writer is None:
      # Not a CheckpointManager: it asks jax for notices of preemption under
      # numbers of its own, which spoils those of the loop; and an error of one
      # process is lost while it waits 20 minutes for the others.
      self._writer = ocp.AsyncCheckpointer(ocp.CompositeCheckpointHandler())
    if jax.process_index() == 0:
      self._directory.mkdir(parents=True, exist_ok=True)
      self._remove_partial()
    self._writer.save(self._directory / str(step),
                      args=ocp.args.Composite(
                          state=ocp.args.StandardSave(arrays),
                          leaves=ocp.args.JsonSave(listed)))

  @contextlib.contextmanager
  def _told(self) -> Iterator[None]:
    """Turns what is raised when a write fails into an OSError."""
    try:
      yield
    except Exception as error:
      path = self._directory / str(self._step)
      self._step = _NO_STEP
      if jax.process_index() == 0:
        self._remove_partial()
      raise OSError(f"could not write the checkpoint {path} "
                    f"({_reason(error)}): free disk space, or choose "
                    "another directory; those before it are whole.") from error

  def _remove_partial(self) -> None:
    """Removes what killed and failed writes left."""
    for path in self._directory.glob("*.orbax-checkpoint-tmp*"):
      shutil.rmtree(path, ignore_errors=True)

  def _agreed_latest_step(self) -> int:
    """Returns the latest step as the first process sees it."""
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
          if not path.with_name(name).exists())
      path.rename(aside)
      print(
          f"checkpoint {path} is damaged ({damage}): it is now {aside.name}, "
          "and the one before it is read",
          file=sys.stderr)
    with jax.transfer_guard("allow"):
      multihost_utils.sync_global_devices("a damaged checkpoint was moved")


def _read(path: pathlib.Path,
          wanted: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], str]:
  """Reads a checkpoint; returns its arrays, or what is damaged."""
  leaves: Leaves = {}
  damage = ""
  try:
    leaves = _read_list(path)
  except PermissionError:
    raise
  except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
    damage = f"the list of leaves: {_reason(error)}"
  # If one process cannot read it, none may go on.
  damage = _of_any_process(damage)
  if damage:
    return {}, damage
  _check_model(path, leaves, wanted)
  values, damage = _read_leaves(path, leaves)
  return values, _of_any_process(damage)


def _read_list(path: pathlib.Path) -> Leaves:
  """Reads the list of leaves, and raises if it is damaged."""
  listed = json.loads((path / "leaves" / "metadata").read_text("utf-8"))
  if listed.pop("crc32") != _crc_of_list(listed):
    raise ValueError("its CRC-32 does not fit")
  return listed["leaves"]


def _check_model(path: pathlib.Path, leaves: Leaves,
                 wanted: Mapping[str, Any]) -> None:
  """Raises if a checkpoint does not have the leaves that are wanted."""
  saved = {name: _kind(x["dtype"], x["shape"]) for name, x in leaves.items()}
  ours = {name: _kind(x.dtype, x.shape) for name, x in wanted.items()}
  for name in dict.fromkeys([*ours, *saved]):
    there, here = saved.get(name, "missing"), ours.get(name, "missing")
    if there != here:
      raise ValueError(
          f"the checkpoint {path} is of another model: {name} is {there} there "
          f"and {here} here. Use the model and the optimiser that it was saved "
          "from, or choose another directory.")


def _read_leaves(path: pathlib.Path,
                 leaves: Leaves) -> tuple[dict[str, np.ndarray], str]:
  """Reads the arrays, up to the first one that is not what was saved.

  Not by orbax: after an error it drops the other reads unfinished, and these
  then print to the terminal.
  """
  import tensorstore as ts
  files = {"driver": "file", "path": f"{path}/state/"}
  stores = {
      name:
          ts.open({
              "driver": "auto",
              "kvstore": {
                  "driver": "ocdbt",
                  "base": files,
                  "path": f"{name}/"
              }
          }) for name in leaves
  }
  values = {}
  for name, store in stores.items():
    try:
      value = store.result().read().result()
    except (OSError, ValueError, LookupError) as error:
      return {}, f"{name}: {_reason(error)}"
    found, saved = _describe(value), leaves[name]
    if found != saved:
      return {}, (f"{name}: {_kind(**found)} was read, {_kind(**saved)} was "
                  "written")
    values[name] = value
  return values, ""


def _by_name(tree: PyTree) -> dict[str, Any]:
  """Returns the leaves of a tree by their names, as in `.params['Dense_0']`."""
  return {
      jax.tree_util.keystr(path): x
      for path, x in jax.tree.leaves_with_path(tree)
  }


def _host_value(x: jax.Array) -> np.ndarray:
  """Returns the value of a global array."""
  # Not of the array itself, which would keep the copy as long as it lives.
  if x.is_fully_replicated:
    x = x.addressable_data(0)
  elif not x.is_fully_addressable:
    x = multihost_utils.process_allgather(x, tiled=True)
  return np.asarray(x)


def _put(value: np.ndarray, sharding: jax.sharding.Sharding) -> jax.Array:
  """Puts a value that all processes have on the devices of all."""
  with jax.transfer_guard("allow"):
    return jax.make_array_from_callback(value.shape, sharding,
                                        lambda index: value[index])


def _describe(value: np.ndarray) -> dict[str, Any]:
  """Returns what is listed of a leaf."""
  flat = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
  return {
      "dtype": str(value.dtype),
      "shape": [*value.shape],
      "crc32": zlib.crc32(flat.data)
  }


def _kind(dtype: Any, shape: Any, crc32: int | None = None) -> str:
  """Returns the words for a leaf."""
  kind = f"{dtype}[{','.join(map(str, shape))}]"
  return kind if crc32 is None else f"{kind} with CRC-32 {crc32:08x}"


def _crc_of_list(listed: Mapping[str, Any]) -> int:
  return zlib.crc32(json.dumps(listed, sort_keys=True).encode())


def _reason(error: BaseException) -> str:
  """Returns what an error comes from, in a few words."""
  code = re.search(r"os_error_code='(\d+)'", str(error))  # By tensorstore.
  if code:
    return os.strerror(int(code[1]))
  return f"{type(error).__name__}: {error}".splitlines()[0][:200]


def _of_any_process(text: str) -> str:
  """Returns the first text that is not empty, the same in all processes."""
  data = text.encode()[:_TEXT_BYTES].ljust(_TEXT_BYTES, b"\0")
  with jax.transfer_guard("allow"):
    rows = multihost_utils.process_allgather(np.frombuffer(data, np.uint8))
  texts = [bytes(row).rstrip(b"\0") for row in rows.reshape(-1, _TEXT_BYTES)]
  return next(filter(None, texts), b"").decode(errors="ignore")


@functools.cache
def _orbax() -> Any:
  """Imports orbax, which takes a second, and keeps its noise to itself.

  After a failed write it leaves the others unfinished, and asyncio and the
  interpreter complain of each.
  """
  import orbax.checkpoint as ocp
  for name in ("absl", "asyncio"):
    logging.getLogger(name).addFilter(_is_not_of_orbax)
  warnings.filterwarnings("ignore", "coroutine 'async_serialize",
                          RuntimeWarning)
  sys.unraisablehook = functools.partial(_unraisable, sys.unraisablehook)
  return ocp


def _is_not_of_orbax(record: logging.LogRecord) -> bool:
  return "orbax" not in record.pathname + record.getMessage()


def _unraisable(hook: Callable[[Any], None], unraisable: Any) -> None:
  """Drops what tensorstore reports to a loop that orbax has left."""
  if str(unraisable.exc_value) != "Event loop is closed":
    hook(unraisable)
