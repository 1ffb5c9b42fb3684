"""Tests of the rendezvous of processes."""

import concurrent.futures
import json
import socket
import time

import pytest

from mixup_jax.runtime.distributed import _meeting

HERE = socket.gethostname()


@pytest.fixture
def port() -> int:
  with socket.create_server(("", 0)) as server:
    return server.getsockname()[1]


@pytest.fixture
def pool():
  with concurrent.futures.ThreadPoolExecutor() as pool:
    yield pool


def come(pool, port, index, of, seconds=20.0, **same):
  """Starts a process as a thread."""
  deadline = time.monotonic() + seconds
  if index:
    return pool.submit(
      _meeting.join, ("localhost", port), of, index, deadline, same
    )
  return pool.submit(_meeting.gather, port, of, deadline, same)


def knock(port, words):
  """Sends bytes to process 0 as soon as it listens, and disconnects."""
  for _ in range(500):
    try:
      with socket.create_connection(("localhost", port)) as connection:
        connection.sendall(words)
      return
    except ConnectionRefusedError:
      time.sleep(0.01)
  raise AssertionError("process 0 does not listen")


def close(*tasks):
  for task in tasks:
    for peer in task.result()[0].values():
      peer.connection.close()


def test_gather_and_join_return_peers_and_one_port(pool, port):
  tasks = [come(pool, port, index, of=3) for index in range(3)]
  (peers, jax_port), *others = [task.result() for task in tasks]
  assert sorted(peers) == [1, 2] and jax_port != port
  for index, (zero, other_port) in enumerate(others, 1):
    assert list(zero) == [0] and other_port == jax_port
    assert zero[0].host == peers[index].host == HERE
    zero[0].send(finished=index)
    assert peers[index].receive() == [{"finished": index}]
  close(*tasks)


def test_gather_of_one_process_returns_no_peers(port):
  peers, _ = _meeting.gather(port, 1, time.monotonic())
  assert not peers


def test_gather_accepts_a_process_that_died_and_connects_again(pool, port):
  zero = come(pool, port, 0, of=3)
  knock(
    port, json.dumps({"process": 1, "of": 3, "host": "old"}).encode() + b"\n"
  )
  tasks = [zero] + [come(pool, port, index, of=3) for index in (1, 2)]
  assert zero.result()[0][1].host == HERE
  close(*tasks)


def test_gather_and_join_name_missing_processes(pool, port):
  for task in [come(pool, port, index, 5, seconds=0.5) for index in (0, 2)]:
    with pytest.raises(TimeoutError, match="3 of 5 .* not connect: 1, 3, 4. C"):
      task.result()


def test_gather_names_a_process_that_died_while_waiting(pool, port):
  zero = come(pool, port, 0, of=3, seconds=0.5)
  knock(port, json.dumps({"process": 2, "of": 3, "host": ""}).encode() + b"\n")
  with pytest.raises(TimeoutError, match="2 of 3 .* not connect: 1, 2. Check"):
    zero.result()


def test_join_names_a_missing_coordinator(pool, port):
  with pytest.raises(TimeoutError, match="process 0 did not answer at localho"):
    come(pool, port, 1, of=2, seconds=0.1).result()


def test_join_refuses_a_coordinator_of_another_protocol(pool):
  with socket.create_server(("localhost", 0)) as server:
    task = come(pool, server.getsockname()[1], 1, of=2, seconds=0.0)
    with server.accept()[0] as connection:
      connection.sendall(b"220 mail.example.org ESMTP\r\n")
      with pytest.raises(TimeoutError, match="process 0 did not answer"):
        task.result()


@pytest.mark.parametrize("others", [[0], [1, 1]])
def test_gather_and_join_refuse_a_repeated_process_id(pool, port, others):
  zero = come(pool, port, 0, of=4)
  deadline = time.monotonic() + 20
  tasks = [
    pool.submit(_meeting.join, ("localhost", port), 4, index, deadline)
    for index in others
  ]
  for task in (zero, *tasks):
    with pytest.raises(ValueError, match="two processes .* give each its own"):
      task.result()


def test_gather_and_join_refuse_another_num_processes(pool, port):
  for task in (come(pool, port, 0, of=4), come(pool, port, 1, of=3)):
    with pytest.raises(
      ValueError, match="num_processes 3, and process 0 has 4"
    ):
      task.result()


def test_gather_and_join_name_differing_values(pool, port):
  tasks = [come(pool, port, 0, of=3, jax="0.10", seeds=(1, 2))]
  tasks += [come(pool, port, i, of=3, jax="0.12", seeds=[1, 2]) for i in (1, 2)]
  for task in tasks:
    with pytest.raises(ValueError) as error:
      task.result()
    assert str(error.value) == (
      "the processes do not match:\n"
      f'  jax: "0.10" on process 0 ({HERE}), "0.12" on process 1 ({HERE}) '
      f"and process 2 ({HERE})\nGive the same code, versions and config to "
      "all."
    )


def test_join_sends_many_values(pool, port):
  same = {f"file{index}.py": "1234567890ab" for index in range(20000)}
  tasks = [come(pool, port, index, of=2, **same) for index in range(2)]
  assert list(tasks[0].result()[0]) == [1]
  close(*tasks)


def test_gather_ignores_strangers(pool, port):
  tasks = [come(pool, port, 0, of=2)]
  for words in (b"GET / HTTP/1.1\r\n\r\n", b"[]\n", b"[1]\n", b"{}\n", b""):
    knock(port, words)
  tasks.append(come(pool, port, 1, of=2))
  assert list(tasks[0].result()[0]) == [1]
  close(*tasks)


def test_gather_names_a_port_in_use():
  with socket.create_server(("", 0)) as server:
    port = server.getsockname()[1]
    with pytest.raises(OSError, match=f"port {port} .*: choose another"):
      _meeting.gather(port, 2, time.monotonic())
