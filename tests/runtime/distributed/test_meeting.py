"""Tests of the rendezvous of processes."""

import concurrent.futures
import contextlib
import json
import socket
import time

import pytest

from mixup_jax.runtime.distributed import _greeting
from mixup_jax.runtime.distributed import _listener
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


def come(pool, port, index, of, seconds=20.0, secret=b"", **same):
  """Starts a process as a thread."""
  deadline = time.monotonic() + seconds
  if index:
    address = ("localhost", port)
    return pool.submit(
      _meeting.join, address, of, index, deadline, same, secret
    )
  return pool.submit(_meeting.gather, port, of, deadline, same, secret)


def connect(port):
  """Connects to process 0 as soon as it listens."""
  for _ in range(500):
    with contextlib.suppress(ConnectionRefusedError):
      return socket.create_connection(("localhost", port))
    time.sleep(0.01)
  raise AssertionError("process 0 does not listen")


def knock(port, words):
  """Sends bytes to process 0, and disconnects."""
  with connect(port) as connection:
    connection.sendall(words)


def line(secret=b"", **fields):
  """Returns a greeting on the wire, with any values in its fields."""
  text = json.dumps({"process": 1, "of": 3, "host": "h", "same": {}} | fields)
  message = {"greeting": text, "proof": _greeting._proof(text, secret)}
  return json.dumps(message).encode() + b"\n"


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
  knock(port, line(host="old"))
  tasks = [zero] + [come(pool, port, index, of=3) for index in (1, 2)]
  assert zero.result()[0][1].host == HERE
  close(*tasks)


def test_gather_and_join_name_missing_processes(pool, port):
  for task in [come(pool, port, index, 5, seconds=0.5) for index in (0, 2)]:
    with pytest.raises(TimeoutError, match="3 of 5 .* not connect: 1, 3, 4. C"):
      task.result()


def test_gather_names_a_process_that_died_while_waiting(pool, port):
  zero = come(pool, port, 0, of=3, seconds=0.5)
  knock(port, line(process=2))
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


def nested(value, depth):
  for _ in range(depth):
    value = [value]
  return value


PLAIN = {"process": 1, "of": 3, "host": "h", "same": {}}
HOSTILE = (
  # Not signed, as by whoever does not know the secret.
  b"",
  b"\n",
  b"GET / HTTP/1.1\r\n\r\n",
  b"SSH-2.0-OpenSSH_9.9\r\n",
  b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
  b"[]\n",
  b"[1]\n",
  b"{}\n",
  b"null\n",
  b'"greeting"\n',
  b"1e999\n",
  b"7" * 9000 + b"\n",
  b"[" * 60_000 + b"\n",
  b'{"greeting":' * 20_000 + b"\n",
  b'"' + b"a" * 2**21 + b'"\n',
  b"\xff\xfe\x00\x01\n",
  b'{"process":[],"of":3,"host":"h"}\n',
  *(
    json.dumps(PLAIN | change).encode() + b"\n"
    for change in ({}, {"of": 99}, {"process": -1}, {"process": 7})
  ),
  *(
    json.dumps({"greeting": greeting, "proof": proof}).encode() + b"\n"
    for greeting, proof in (
      (None, ""),
      (json.dumps(PLAIN), None),
      (json.dumps(PLAIN), ""),
      (json.dumps(PLAIN), "0" * 64),
      (json.dumps(PLAIN), "\ud800é\x1b[2J"),
      (PLAIN, {}),
      ("\x1b]0;owned\x07", "\x1b[31m"),
    )
  ),
  line(b"another run"),
  line(b"another run", of=99),
  line(b"another run", process=0),
  # Signed, and nothing that a process of a run would send.
  line(process=-1),
  line(process=7),
  line(process="1"),
  line(process=[]),
  line(process=True),
  line(process=1.0),
  line(process=None),
  line(of="3"),
  line(of={}),
  line(host=""),
  line(host=7),
  line(host="a\nerror: done"),
  line(host="h" * 256),
  line(same=[]),
  line(same="ab"),
  line(same=nested(0, 900)),
  line(more=1),
  line() + line(process=2),
)


def test_gather_survives_hostile_greetings(pool, port):
  tasks = [come(pool, port, 0, of=3)]
  assert len(HOSTILE) > 45
  with contextlib.ExitStack() as stack:
    for words in HOSTILE:
      connection = stack.enter_context(connect(port))
      with contextlib.suppress(ConnectionError):  # It may close early.
        connection.sendall(words)
    tasks += [come(pool, port, index, of=3) for index in (1, 2)]
    peers = tasks[0].result()[0]
    assert [(index, peer.host) for index, peer in sorted(peers.items())] == [
      (1, HERE),
      (2, HERE),
    ]
    close(*tasks)


def test_gather_hears_others_beside_silent_and_slow_connections(pool, port):
  with contextlib.ExitStack() as stack:
    zero = come(pool, port, 0, of=3)
    silent = [stack.enter_context(connect(port)) for _ in range(200)]
    silent[0].sendall(line()[:20])
    start = time.monotonic()
    others = [come(pool, port, index, of=3) for index in (1, 2)]
    assert sorted(zero.result()[0]) == [1, 2]
    assert time.monotonic() - start < _listener._GREETING_SECONDS / 2
    close(zero, *others)


def test_gather_closes_a_greeting_of_a_byte_at_a_time(pool, port, monkeypatch):
  monkeypatch.setattr(_listener, "_GREETING_SECONDS", 0.2)
  zero = come(pool, port, 0, of=2, seconds=0.5)
  with connect(port) as connection, pytest.raises(ConnectionError):
    for byte in 20 * line():
      connection.sendall(bytes([byte]))
      time.sleep(0.02)
  with pytest.raises(TimeoutError, match="A connection from .* no complete gr"):
    zero.result()


def test_gather_and_join_refuse_another_secret_alone(pool, port):
  zero = come(pool, port, 0, of=3, seconds=0.8, secret=b"ours")
  stranger = come(pool, port, 1, of=3, secret=b"theirs")
  with pytest.raises(
    ValueError, match="its token differs. Give all the same c"
  ):
    stranger.result()
  member = come(pool, port, 1, of=3, seconds=0.8, secret=b"ours")
  for task in (zero, member):
    with pytest.raises(TimeoutError, match="connect: 2.*refused: its token di"):
      task.result()


def test_join_does_not_wait_for_an_answer_of_a_byte_at_a_time(
  pool, monkeypatch
):
  monkeypatch.setattr(_meeting._peer, "READ_SECONDS", 0.1)
  with socket.create_server(("localhost", 0)) as server:
    task = come(pool, server.getsockname()[1], 1, of=2, seconds=0.0)
    with server.accept()[0] as connection, pytest.raises(ConnectionError):
      for _ in range(200):
        connection.sendall(b" ")
        time.sleep(0.01)
    with pytest.raises(TimeoutError, match="incomplete|timed out"):
      task.result()


@pytest.mark.parametrize("answer", [{"port": "1", "host": "h"}, {"port": 1}])
def test_join_refuses_an_answer_without_port_and_host(pool, answer):
  with socket.create_server(("localhost", 0)) as server:
    task = come(pool, server.getsockname()[1], 1, of=2, seconds=0.0)
    with server.accept()[0] as connection:
      connection.sendall(json.dumps(answer).encode() + b"\n")
      with pytest.raises(TimeoutError, match="of another protocol"):
        task.result()


def test_gather_and_join_escape_what_a_terminal_would_act_on(pool, port):
  tasks = [come(pool, port, 0, of=2, **{"\x1b[2Ja": 1, "b": "\t"})]
  tasks += [come(pool, port, 1, of=2, **{"\x1b[2Ja": 2, "b": "\t"})]
  for task in tasks:
    with pytest.raises(ValueError) as error:
      task.result()
    text = str(error.value)
    assert text.replace("\n", "").isprintable() and r"\x1b[2Ja: 1" in text
    assert "b:" not in text


def test_gather_names_a_port_in_use():
  with socket.create_server(("", 0)) as server:
    port = server.getsockname()[1]
    with pytest.raises(OSError, match=f"port {port} .*: choose another"):
      _meeting.gather(port, 2, time.monotonic())
