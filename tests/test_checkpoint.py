"""Proves that a run goes on from what it saved, and from nothing else."""

import functools
import json
import os
import pathlib
import random
import shutil
import socket
import subprocess
import sys

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mixup_jax import checkpoint
from mixup_jax import losses
from mixup_jax import sharding
from mixup_jax import state as states
from mixup_jax import steps
from mixup_jax import transforms
from mixup_jax.models import mlp

ROOT = pathlib.Path(__file__).parent.parent


def tree(number, wide=40):
  """Returns arrays that do not compress, and containers without arrays."""
  noise = np.random.default_rng(number).normal(size=(8, wide))
  return {
      "step": jnp.int32(number),
      "params": {
          "a/b.c": jnp.asarray(noise, jnp.float32),
          "half": jnp.asarray(noise[0], jnp.bfloat16)
      },
      "batch_stats": {},
      "opt_state": (optax.EmptyState(), optax.TraceState([jnp.arange(8)]), ()),
      "none": None,
  }


def placed(like, devices):
  """Returns shapes on a mesh; arrays with 8 rows are to lie in parts."""
  mesh = sharding.make_mesh(jax.devices()[:devices])

  def place(x):
    parts = x.shape[:1] == (8,)
    where = sharding.sharded(mesh) if parts else sharding.replicated(mesh)
    return jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=where)

  return jax.tree.map(place, like)


def save(directory, *numbers, **options):
  with checkpoint.Checkpoints(directory, **options) as saved:
    for number in numbers:
      saved.save(number, tree(number))


def restore(directory, like=None):
  with checkpoint.Checkpoints(directory) as saved:
    return saved.restore(like or placed(tree(0), 1))


def assert_restores(directory, number):
  step, restored = restore(directory)
  assert step == number
  chex.assert_trees_all_equal(restored, tree(number))


def names(directory):
  return sorted(path.name for path in directory.iterdir())


def data_file(directory):
  """Returns the file in which the values are."""
  files = [path for path in directory.rglob("*") if path.is_file()]
  return max(files, key=lambda path: path.stat().st_size)


def flip_bit(path, at=0.5):
  content = bytearray(path.read_bytes())
  content[int(at * len(content))] ^= 16
  path.write_bytes(content)


def training(seed):
  model = mlp.MLP(num_classes=3, hidden=(8,))
  tx = optax.sgd(0.1, momentum=0.9)
  state = states.create(model, tx, jax.random.key(seed), jnp.ones((1, 4)))
  step = steps.make_train_step(model,
                               tx,
                               losses.cross_entropy,
                               root_key=jax.random.key(7),
                               prepare=lambda key, batch:
                               (batch["inputs"], batch["labels"]),
                               transform=functools.partial(transforms.mixup,
                                                           alpha=1.0))
  batch = {
      "inputs": jnp.sin(jnp.arange(24.0)).reshape(6, 4),
      "labels": jnp.arange(6) % 3
  }
  return state, functools.partial(jax.jit(step, donate_argnums=0), batch=batch)


@pytest.mark.parametrize("devices", [1, 8])
def test_training_goes_on_bit_by_bit(tmp_path, devices):
  mesh = sharding.make_mesh(jax.devices()[:devices])
  straight, step = training(seed=0)
  straight = jax.device_put(straight, sharding.replicated(mesh))
  with checkpoint.Checkpoints(tmp_path) as saved:
    for number in range(10):
      if number == 5:
        saved.save(5, straight)  # And the next step takes its memory.
      straight, _ = step(straight)
  other, _ = training(seed=1)
  like = jax.device_put(other, sharding.replicated(mesh))
  number, state = restore(tmp_path, like)
  assert number == 5 and isinstance(state, states.TrainState)
  chex.assert_trees_all_equal_structs(state, straight)
  for _ in range(5):
    state, _ = step(state)
  chex.assert_trees_all_equal(state, straight)


@pytest.mark.parametrize("before", [1, 2, 8])
def test_a_state_moves_to_another_number_of_devices(tmp_path, before):
  expected = tree(3)
  there = jax.tree.map(lambda s: s.sharding, placed(expected, before))
  with checkpoint.Checkpoints(tmp_path) as saved:
    with jax.transfer_guard("disallow"):
      saved.save(3, jax.device_put(expected, there))
      for after in (1, 2, 8):
        like = placed(expected, after)
        step, restored = saved.restore(like)
        assert step == 3
        chex.assert_trees_all_equal_structs(restored, expected)
        chex.assert_trees_all_equal_shapes_and_dtypes(restored, expected)
        chex.assert_trees_all_equal(jax.device_get(restored),
                                    jax.device_get(expected))
        jax.tree.map(lambda x, s: chex.assert_equal(x.sharding, s.sharding),
                     restored, like)


def test_a_save_is_of_the_moment_at_which_it_was_called(tmp_path):
  """The arrays may be overwritten as soon as `save` returns."""
  count_on = jax.jit(lambda x: x + 1, donate_argnums=0)
  x = count_on(jnp.zeros(1_000_000))
  like = jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding)
  with checkpoint.Checkpoints(tmp_path) as saved:
    saved.save(1, x)
    assert saved.latest_step() is None  # It is being written.
    for _ in range(20):
      x = count_on(x)
  chex.assert_trees_all_equal(restore(tmp_path, like), (1, jnp.ones(1_000_000)))


def test_the_newest_are_kept(tmp_path):
  with checkpoint.Checkpoints(tmp_path / "new", keep=2) as saved:
    for number in (3, 5, 8, 13):
      saved.save(number, tree(number))
      assert len(saved.all_steps()) <= 3
    saved.wait()
    assert saved.all_steps() == [8, 13] and saved.latest_step() == 13
  assert names(tmp_path / "new") == ["13", "8"]
  assert_restores(tmp_path / "new", 13)


def test_without_a_checkpoint_there_is_none(tmp_path):
  with checkpoint.Checkpoints(tmp_path / "none") as saved:
    assert saved.restore(placed(tree(0), 1)) is None
    assert saved.all_steps() == [] and saved.latest_step() is None
  assert names(tmp_path) == []


def test_a_step_is_saved_once(tmp_path):
  with checkpoint.Checkpoints(tmp_path) as saved:
    saved.save(4, tree(4))
    saved.save(4, tree(5))  # While it is being written.
    saved.wait()
    saved.save(4, tree(5))
  with checkpoint.Checkpoints(tmp_path) as saved:
    saved.save(4, tree(5))
  assert_restores(tmp_path, 4)


def test_orbax_and_people_can_read_it(tmp_path):
  import orbax.checkpoint as ocp
  with checkpoint.Checkpoints(tmp_path) as saved:
    saved.save(1, {"x": jnp.arange(3)}, extra={"model": "mlp"})
  with ocp.StandardCheckpointer() as reader:
    like = {"['x']": jnp.zeros(3, jnp.int32)}
    chex.assert_trees_all_equal(reader.restore(tmp_path / "1" / "state", like),
                                {"['x']": jnp.arange(3)})
  listed = json.loads((tmp_path / "1" / "leaves" / "metadata").read_text())
  assert listed["extra"] == {"model": "mlp"}
  assert listed["leaves"]["['x']"]["dtype"] == "int32"


DAMAGES = {
    "flipped": flip_bit,
    "cut": lambda path: os.truncate(path,
                                    path.stat().st_size // 2),
    "deleted": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("file", ["data", "list"])
def test_a_damaged_checkpoint_is_told_and_moved_aside(tmp_path, capfd, damage,
                                                      file):
  save(tmp_path, 1, 2)
  newest = tmp_path / "2"
  damage(
      data_file(newest) if file == "data" else newest / "leaves" / "metadata")
  assert_restores(tmp_path, 1)
  line, = capfd.readouterr().err.splitlines()
  assert f"checkpoint {newest} is damaged (" in line and "2.damaged" in line
  if file == "list":
    assert "the list of leaves" in line
  else:
    assert "['a/b.c']" in line or "['half']" in line
  assert names(tmp_path) == ["1", "2.damaged"]
  save(tmp_path, 2)
  assert_restores(tmp_path, 2)
  flip_bit(data_file(newest))
  assert_restores(tmp_path, 1)
  assert names(tmp_path) == ["1", "2.damaged", "2.damaged1"]


def test_a_damaged_list_is_not_taken_for_another_model(tmp_path):
  save(tmp_path, 1, 2)
  listed = tmp_path / "2" / "leaves" / "metadata"
  listed.write_text(listed.read_text().replace("float32", "float64"))
  assert_restores(tmp_path, 1)


def test_no_bit_goes_wrong_unseen(tmp_path):
  save(tmp_path, 1, 2)
  whole = tmp_path / "whole"
  (tmp_path / "2").rename(whole)
  chance = random.Random(0)
  files = [path for path in sorted(whole.rglob("*")) if path.is_file()]
  outcomes = []
  for file in files:
    for _ in range(3):
      shutil.copytree(whole, tmp_path / "2")
      flip_bit(tmp_path / "2" / file.relative_to(whole), chance.random())
      outcomes.append(restore(tmp_path)[0])
      assert_restores(tmp_path, outcomes[-1])
      shutil.rmtree(tmp_path / "2", ignore_errors=True)
  assert {1, 2} == set(outcomes)


def test_a_run_never_starts_anew_by_itself(tmp_path):
  save(tmp_path, 1, 2)
  for number in (1, 2):
    flip_bit(data_file(tmp_path / str(number)))
  for _ in range(2):  # Nor when it is started again.
    with pytest.raises(OSError,
                       match=f"no checkpoint in {tmp_path} is whole: "
                       r".* delete those named \*.damaged"):
      restore(tmp_path)
  assert names(tmp_path) == ["1.damaged", "2.damaged"]
  for name in names(tmp_path):
    shutil.rmtree(tmp_path / name)
  assert restore(tmp_path) is None


@pytest.mark.parametrize("change, message", [
    ({
        "step": jnp.ones((2,))
    }, r"\['step'\] is int32\[\] there and float32\[2\] here"),
    ({
        "step": jnp.float32(0)
    }, r"\['step'\] is int32\[\] there and float32\[\] here"),
    ({
        "batch_stats": {
            "mean": jnp.ones(2)
        }
    }, r"\['batch_stats'\]\['mean'\] is missing there and float32\[2\] here"),
    ({
        "params": {}
    }, r"\['params'\]\['a/b.c'\] is float32\[8,40\] there and missing here"),
], ids=["shape", "dtype", "more", "fewer"])  # yapf: disable
def test_another_model_is_no_damage(tmp_path, capfd, change, message):
  save(tmp_path, 1)
  with pytest.raises(ValueError, match=f"another model: {message}. Use the mo"):
    restore(tmp_path, placed(tree(0) | change, 1))
  assert names(tmp_path) == ["1"] and not capfd.readouterr().err
  assert_restores(tmp_path, 1)


def test_what_killed_runs_left_is_ignored_and_removed(tmp_path):
  save(tmp_path, 1)
  shutil.copytree(tmp_path / "1", tmp_path / "9.orbax-checkpoint-tmp")
  assert_restores(tmp_path, 1)
  save(tmp_path, 2)
  assert names(tmp_path) == ["1", "2"]
  assert_restores(tmp_path, 2)


def test_bad_input_names_the_value_and_the_remedy(tmp_path):
  with pytest.raises(ValueError, match="keep must be at least 1, got 0"):
    checkpoint.Checkpoints(tmp_path, keep=0)
  save(tmp_path, 7)
  with pytest.raises(ValueError, match="step 7 already, got step 6: restore"):
    save(tmp_path, 6)


def processes(*commands):
  """Runs Python processes of two devices; returns statuses and errors."""
  flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
  started = [
      subprocess.Popen([sys.executable, *words],
                       cwd=ROOT,
                       stderr=subprocess.PIPE,
                       text=True,
                       env=os.environ | flags) for words in commands
  ]
  try:
    errors = [process.communicate(timeout=100)[1] for process in started]
  finally:
    for process in started:
      process.kill()
  return [process.returncode for process in started], errors


# A limit on the length of files makes writes fail in the way a full disk does.
FULL = """
import os, pathlib, resource, sys
import jax
from mixup_jax import checkpoint

directory = pathlib.Path(sys.argv[1])
small = {str(i): jax.numpy.full(900, i) for i in range(20)}
large = {str(i): jax.random.normal(jax.random.key(i), 9000) for i in range(20)}
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)


def assert_fails(call):
  try:
    call()
  except OSError as error:
    assert str(error) == (
        f"could not write the checkpoint {directory}/2 (File too large): free "
        "disk space, or choose another directory; those before it are whole.")
  else:
    assert False, call


for call in ("save", "wait", "close"):
  saved = checkpoint.Checkpoints(directory, keep=1)
  saved.save(1, small)
  saved.wait()
  resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, unlimited[1]))
  saved.save(2, large)
  assert_fails((lambda: saved.save(3, large)) if call == "save" else
               getattr(saved, call))
  resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
  assert os.listdir(directory) == ["1"]
  assert saved.restore(small)[0] == 1
saved.save(2, large)
saved.close()
assert saved.restore(large)[0] == 2
"""


@pytest.mark.slow
def test_a_full_disk_costs_no_checkpoint(tmp_path):
  assert processes(("-X", "dev", "-c", FULL, str(tmp_path))) == ([0], [""])
  assert names(tmp_path) == ["2"]


# A new process is killed in each round; what it takes for committed is logged.
KILLS = """
import os, pathlib, random, signal, sys, time
import jax, orbax.checkpoint
import numpy as np
from mixup_jax import checkpoint

directory, log = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])


def run():
  like = {name: jax.numpy.zeros((300, 300), "int32") for name in "abc"}
  with checkpoint.Checkpoints(directory) as saved:
    step, state = saved.restore(like) or (0, like)
    assert all((np.asarray(x) == step).all() for x in state.values())
    log.open("a").write(f"restored {step}\\n")
    while True:
      step += 1
      saved.save(step, {name: x + step for name, x in like.items()})
      if step % 3 == 0:
        saved.wait()
        log.open("a").write(f"committed {step}\\n")


for seed in range(11):
  child = os.fork()
  if not child:
    run()
  before = log.stat().st_size
  while log.stat().st_size == before:
    assert os.waitpid(child, os.WNOHANG) == (0, 0)
    time.sleep(0.01)
  time.sleep(random.Random(seed).random())
  os.kill(child, signal.SIGKILL)
  assert os.waitpid(child, 0)[1] == signal.SIGKILL
"""


@pytest.mark.slow
def test_a_kill_at_any_moment_costs_no_checkpoint(tmp_path):
  directory, log = tmp_path / "checkpoints", tmp_path / "log"
  log.touch()
  status, errors = processes(("-c", KILLS, str(directory), str(log)))
  assert status == [0], errors
  committed, restored = 0, []
  for line in log.read_text().splitlines():
    word, number = line.split()
    if word == "restored":
      restored.append(int(number))
    assert int(number) >= committed, log.read_text()
    committed = int(number)
  assert len(restored) == 11 and restored[-1] > 10
  like = {name: jnp.zeros((300, 300), jnp.int32) for name in "abc"}
  step, state = restore(directory, like)
  chex.assert_trees_all_equal(state, {n: x + step for n, x in like.items()})
  with checkpoint.Checkpoints(directory) as saved:
    saved.save(step + 1, state)
  assert set(names(directory)) <= {str(step - 1), str(step), str(step + 1)}


TOGETHER = """
import resource, sys
import jax
import numpy as np
from mixup_jax import checkpoint, distributed, sharding

directory, index, port, mode = sys.argv[1:]
distributed.initialize(coordinator=f"127.0.0.1:{port}", num_processes=2,
                       process_id=int(index), initialization_timeout=60)


def state(number):
  values = np.random.default_rng(number).normal(size=(8, 2000))
  values = values.astype("float32")
  return {"parts": sharding.put(values, sharding.sharded(mesh)),
          "whole": sharding.put(values[0], sharding.replicated(mesh))}


def assert_restores(saved, number):
  step, restored = saved.restore(state(0))
  assert step == number, step
  for x, y in zip(restored.values(), state(number).values()):
    assert x.sharding == y.sharding
    for ours, theirs in zip(x.addressable_shards, y.addressable_shards):
      np.testing.assert_array_equal(ours.data, theirs.data)


with distributed.peers_watched(), jax.transfer_guard("disallow"):
  mesh = sharding.make_mesh()
  with checkpoint.Checkpoints(directory) as saved:
    for number in (1, 2, 2, 3):
      saved.save(number, state(number))
    assert_restores(saved, 3)
    if mode == "full" and index == "1":
      resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
    elif mode == "damaged" and index == "1":  # The other one sees nothing.
      read = checkpoint._read_leaves
      checkpoint._read_leaves = lambda path, leaves: (
          ({}, "only here") if path.name == "3" else read(path, leaves))
    if mode == "damaged":
      assert_restores(saved, 2)
    saved.save(4, state(4))
    saved.wait()
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["damaged", "full"])
def test_processes_save_restore_and_fail_together(tmp_path, mode):
  with socket.create_server(("127.0.0.1", 0)) as server:
    port = server.getsockname()[1]
  status, errors = processes(*[("-c", TOGETHER, str(tmp_path), str(index),
                                str(port), mode) for index in range(2)])
  values = np.random.default_rng(4).normal(size=(8, 2000)).astype("float32")
  like = placed({"parts": values, "whole": values[0]}, 8)
  if mode == "damaged":
    assert status == [0, 0], errors
    assert "3 is damaged (only here)" in errors[0]
    assert [len(error.splitlines()) for error in errors] == [1, 0]
    assert names(tmp_path) == ["2", "3.damaged", "4"]
    step, state = restore(tmp_path, like)
    chex.assert_trees_all_equal((step, jax.device_get(state)), (4, {
        "parts": values,
        "whole": values[0]
    }))
  else:
    assert status == [42, 1], errors
    assert "process 1" in errors[0]
    assert "OSError: could not write the checkpoint" in errors[1]
    assert restore(tmp_path, like)[0] == 3
