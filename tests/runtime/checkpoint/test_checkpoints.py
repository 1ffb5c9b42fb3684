"""Tests of saving and restoring checkpoints."""

import functools
import shutil
import socket

import chex
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mixup_jax import losses
from mixup_jax import sharding
from mixup_jax import transforms
from mixup_jax.models import mlp
from mixup_jax.runtime import checkpoint
from mixup_jax.runtime import storage
from mixup_jax.runtime.checkpoint import _reading
from mixup_jax.train import state as states
from mixup_jax.train import step as steps


def make_training(seed):
  model = mlp.MLP(num_classes=3, hidden=(8,))
  tx = optax.sgd(0.1, momentum=0.9)
  state = states.create(model, tx, jax.random.key(seed), jnp.ones((1, 4)))
  step = steps.make_train_step(
    model,
    tx,
    losses.cross_entropy,
    root_key=jax.random.key(7),
    prepare=lambda key, batch: (batch["inputs"], batch["labels"]),
    transform=functools.partial(transforms.mixup, alpha=1.0),
  )
  batch = {
    "inputs": jnp.sin(jnp.arange(24.0)).reshape(6, 4),
    "labels": jnp.arange(6) % 3,
  }
  return state, functools.partial(jax.jit(step, donate_argnums=0), batch=batch)


@pytest.mark.parametrize("devices", [1, 8])
def test_restore_resumes_training_bit_by_bit(shelf, devices):
  mesh = sharding.make_mesh(jax.devices()[:devices])
  straight, step = make_training(seed=0)
  straight = jax.device_put(straight, sharding.replicated(mesh))
  with checkpoint.Checkpoints(shelf.path) as saved:
    for number in range(10):
      if number == 5:
        saved.save(5, straight)  # The next step donates its memory.
      straight, _ = step(straight)
  other, _ = make_training(seed=1)
  like = jax.device_put(other, sharding.replicated(mesh))
  number, state = shelf.restore(like)
  assert number == 5 and isinstance(state, states.TrainState)
  chex.assert_trees_all_equal_structs(state, straight)
  for _ in range(5):
    state, _ = step(state)
  chex.assert_trees_all_equal(state, straight)


@pytest.mark.parametrize("before", [1, 2, 8])
def test_restore_to_another_number_of_devices(shelf, before):
  expected = shelf.tree(3)
  there = jax.tree.map(lambda s: s.sharding, shelf.placed(expected, before))
  with checkpoint.Checkpoints(shelf.path) as saved:
    with jax.transfer_guard("disallow"):
      saved.save(3, jax.device_put(expected, there))
      for after in (1, 2, 8):
        like = shelf.placed(expected, after)
        step, restored = saved.restore(like)
        assert step == 3
        chex.assert_trees_all_equal_structs(restored, expected)
        chex.assert_trees_all_equal_shapes_and_dtypes(restored, expected)
        chex.assert_trees_all_equal(
          jax.device_get(restored), jax.device_get(expected)
        )
        jax.tree.map(
          lambda x, s: chex.assert_equal(x.sharding, s.sharding), restored, like
        )


def test_save_copies_the_state_before_it_returns(shelf):
  """The next step may overwrite the arrays as soon as `save` returns."""
  count_on = jax.jit(lambda x: x + 1, donate_argnums=0)
  x = count_on(jnp.zeros(1_000_000))
  like = jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding)
  with checkpoint.Checkpoints(shelf.path) as saved:
    saved.save(1, x)
    assert saved.latest_step() is None  # It is being written.
    for _ in range(20):
      x = count_on(x)
  chex.assert_trees_all_equal(shelf.restore(like), (1, jnp.ones(1_000_000)))


def test_save_keeps_the_latest_checkpoints(shelf):
  with checkpoint.Checkpoints(shelf.path, keep=2) as saved:
    for number in (3, 5, 8, 13):
      saved.save(number, shelf.tree(number))
      assert len(saved.all_steps()) <= 3
    saved.wait()
    assert saved.all_steps() == [8, 13] and saved.latest_step() == 13
  assert shelf.names() == ["13", "8"]
  shelf.assert_restores(13)


def test_restore_returns_none_without_a_checkpoint(shelf):
  with checkpoint.Checkpoints(shelf.path) as saved:
    assert saved.restore(shelf.placed(shelf.tree(0), 1)) is None
    assert saved.read(shelf.placed(shelf.tree(0), 1)) is None
    assert saved.all_steps() == [] and saved.latest_step() is None
  assert not shelf.path.exists()


def test_save_writes_a_step_once(shelf):
  with checkpoint.Checkpoints(shelf.path) as saved:
    saved.save(4, shelf.tree(4))
    saved.save(4, shelf.tree(5))  # While it is being written.
    saved.wait()
    saved.save(4, shelf.tree(5))
  with checkpoint.Checkpoints(shelf.path) as saved:
    saved.save(4, shelf.tree(5))
  shelf.assert_restores(4)


def test_save_removes_the_files_of_killed_runs(shelf):
  shelf.save(1)
  shutil.copytree(shelf.path / "1", shelf.path / "9.orbax-checkpoint-tmp")
  shelf.assert_restores(1)
  shelf.save(2)
  assert shelf.names() == ["1", "2"]
  shelf.assert_restores(2)


def test_save_removes_files_that_are_written_meanwhile(shelf, monkeypatch):
  partial = shelf.path / "9.orbax-checkpoint-tmp"
  partial.mkdir(parents=True)
  remove = shutil.rmtree
  late_writes = iter([partial / "late"])

  def remove_before_a_late_write(path, **options):
    remove(path, **options)
    for late in late_writes:
      late.mkdir(parents=True)

  monkeypatch.setattr(shutil, "rmtree", remove_before_a_late_write)
  shelf.save(1)
  assert shelf.names() == ["1"]


def test_note_is_kept_with_the_checkpoint(shelf):
  with checkpoint.Checkpoints(shelf.path) as saved:
    saved.save(1, shelf.tree(1), note={"a": 17})
    saved.save(2, shelf.tree(2))
  with checkpoint.Checkpoints(shelf.path) as saved:
    assert saved.note(1) == {"a": 17} and saved.note(2) == {}


def test_wait_looks_for_a_checkpoint_once(shelf):
  """It may be moved aside later."""
  with checkpoint.Checkpoints(shelf.path) as saved:
    saved.save(1, shelf.tree(1))
    saved.wait()
    shutil.rmtree(shelf.path / "1")
    saved.wait()


@pytest.mark.parametrize("name", ("[1]", "a\\b"))
def test_save_raises_if_nothing_is_where_it_should_be(shelf, name):
  """orbax takes such a name for a pattern, and reports success."""
  shelf.path /= name
  with pytest.raises(OSError, match="could not write the checkpoint .*/1 "):
    shelf.save(1)


def test_checkpoints_refuses_to_keep_none(shelf):
  with pytest.raises(ValueError, match="keep must be at least 1, got 0"):
    checkpoint.Checkpoints(shelf.path, keep=0)


def test_save_refuses_an_earlier_step(shelf):
  shelf.save(7)
  with pytest.raises(ValueError, match="step 7 already, got step 6: restore"):
    shelf.save(6)


def test_save_keeps_the_latest_checkpoints_in_a_bucket(remote):
  remote.save(1, 2, 3)
  assert remote.names() == ["2", "3"]
  remote.assert_restores(3)
  with checkpoint.Checkpoints(remote.path) as saved:
    saved.save(4, remote.tree(4), note={"a": 17})
    saved.wait()
    assert saved.note(4) == {"a": 17} and saved.all_steps() == [3, 4]


def test_save_completes_what_a_bucket_has_without_its_marker(remote):
  """A directory there has its name before all is in it."""
  remote.save(1, 2)
  (remote.path / "2" / "commit_success.txt").unlink()
  (remote.path / "9" / "state" / "d" / "half").write_bytes(b"x")
  remote.assert_restores(1)
  remote.save(2)
  assert remote.names() == ["1", "2"]
  remote.assert_restores(2)


def test_save_removes_the_marker_of_a_bucket_first(remote, monkeypatch):
  """A removal that is killed leaves nothing that counts as complete."""
  monkeypatch.setattr(storage, "remove", lambda path: None)
  remote.save(1, 2, 3)
  assert remote.names() == ["1", "2", "3"]
  assert checkpoint.Checkpoints(remote.path).all_steps() == [2, 3]


def test_save_outlasts_requests_to_a_bucket_that_fail(remote, bucket_server):
  remote.save(1)
  before = bucket_server.failed
  with bucket_server.failing(every=25):
    remote.save(2)
  assert bucket_server.failed >= before + 2
  remote.assert_restores(2)


def test_save_names_an_outage_that_lasts(remote, monkeypatch):
  def fail(_):
    raise ValueError("All 32 retry attempts failed: Service Unavailable")

  monkeypatch.setattr(_reading, "check_written", fail)
  with pytest.raises(storage.Unavailable) as error:
    remote.save(1)
  assert f"could not write the checkpoint {remote.path}/1 (" in str(error.value)
  assert "run the same command again; earlier ch" in str(error.value)


# Each round kills a new process, which logs the steps that it has committed.
KILLS = """
import os, pathlib, random, signal, sys, time
import jax, orbax.checkpoint
import numpy as np
from mixup_jax.runtime import checkpoint

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
  # However slow the machine is, every other process commits something.
  awaited = "committed" if seed % 2 else "restored"
  while awaited not in log.read_text()[before:]:
    assert os.waitpid(child, os.WNOHANG) == (0, 0)
    time.sleep(0.01)
  time.sleep(random.Random(seed).random())
  os.kill(child, signal.SIGKILL)
  assert os.waitpid(child, 0)[1] == signal.SIGKILL
"""


@pytest.mark.slow
def test_save_keeps_committed_checkpoints_if_killed_at_any_moment(
  tmp_path, shelf, processes
):
  log = tmp_path / "log"
  log.touch()
  status, errors = processes(("-c", KILLS, str(shelf.path), str(log)))
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
  step, state = shelf.restore(like)
  chex.assert_trees_all_equal(state, {n: x + step for n, x in like.items()})
  with checkpoint.Checkpoints(shelf.path) as saved:
    saved.save(step + 1, state)
  assert set(shelf.names()) <= {str(step - 1), str(step), str(step + 1)}


TOGETHER = """
import resource, sys
import jax
import numpy as np
from mixup_jax import sharding
from mixup_jax.runtime import checkpoint, distributed
from mixup_jax.runtime.checkpoint import _reading

directory, index, port, mode = sys.argv[1:]
distributed.initialize(coordinator=f"127.0.0.1:{port}", num_processes=2,
                       process_id=int(index), initialization_timeout=60)


def state(number):
  values = np.random.default_rng(number).normal(size=(8, 2000))
  values = values.astype("float32")
  return {"parts": sharding.put(values, sharding.sharded(mesh)),
          "whole": sharding.put(values[0], sharding.replicated(mesh))}


def unreadable(path, leaves):
  raise OSError("unreadable here")


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
      read = _reading._read_leaves
      _reading._read_leaves = unreadable
    if mode == "damaged":
      try:
        saved.restore(state(0))
        raise AssertionError("read")
      except OSError as error:
        assert str(error) == "unreadable here", error
      if index == "1":
        _reading._read_leaves = lambda path, leaves: (
            ({}, "only here") if path.name == "3" else read(path, leaves))
      assert_restores(saved, 2)
    saved.save(4, state(4))
    saved.wait()
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["damaged", "full"])
def test_save_and_restore_succeed_or_fail_in_all_processes(
  shelf, processes, mode
):
  with socket.create_server(("127.0.0.1", 0)) as server:
    port = server.getsockname()[1]
  status, errors = processes(
    *[
      ("-c", TOGETHER, str(shelf.path), str(index), str(port), mode)
      for index in range(2)
    ]
  )
  values = np.random.default_rng(4).normal(size=(8, 2000)).astype("float32")
  like = shelf.placed({"parts": values, "whole": values[0]}, 8)
  if mode == "damaged":
    assert status == [0, 0], errors
    assert "3 is damaged (only here)" in errors[0]
    assert [len(error.splitlines()) for error in errors] == [1, 0]
    assert shelf.names() == ["2", "3.damaged", "4"]
    step, state = shelf.restore(like)
    chex.assert_trees_all_equal(
      (step, jax.device_get(state)), (4, {"parts": values, "whole": values[0]})
    )
  else:
    assert status == [42, 1], errors
    assert "process 1" in errors[0]
    assert "OSError: could not write the checkpoint" in errors[1]
    assert shelf.restore(like)[0] == 3
