"""What a process sends first: who it is, with the proof that it belongs here.

The proof is the HMAC-SHA256 of the greeting under a secret that all processes
of a run share. Nothing in a greeting is parsed before its proof holds, and
whoever lacks the secret can neither join a run nor end it.
"""

import hashlib
import hmac
import json
import os
from typing import Any, Mapping, NamedTuple

from mixup_jax.runtime.distributed import _peer

TOKEN = "MIXUP_JAX_TOKEN"
_MOST_CHARACTERS = 255  # Of the name of a host.


class Greeting(NamedTuple):
  """A process that wants to join a run.

  Attributes:
    process: Its id, from 1.
    of: The number of processes that it expects.
    host: The name of its machine.
    same: What must be the same in all processes.
  """

  process: int
  of: int
  host: str
  same: Mapping[str, Any]


def secret(coordinator: str) -> bytes:
  """Returns the secret of a run: `MIXUP_JAX_TOKEN`, or the coordinator.

  The address keeps the processes of two runs apart. Only the token keeps out
  somebody who knows this code.
  """
  return (os.environ.get(TOKEN) or f"mixup_jax {coordinator}").encode()


def sign(greeting: Greeting, secret: bytes) -> dict[str, str]:
  """Returns a greeting as a message."""
  text = json.dumps(greeting._asdict())
  return {"greeting": text, "proof": _proof(text, secret)}


def verify(message: Mapping[str, Any], secret: bytes) -> Greeting:
  """Returns the greeting in a message.

  Args:
    message: A message of a process, or of anybody else.
    secret: The secret of this run.

  Returns:
    The greeting. Its numbers may still be those of another run.

  Raises:
    PermissionError: If it was signed with another secret.
    ValueError: If it is not a greeting.
  """
  text, proof = (message.get(name) for name in ("greeting", "proof"))
  if not isinstance(text, str) or not isinstance(proof, str):
    raise ValueError("it sent no greeting")
  if not hmac.compare_digest(proof.encode(), _proof(text, secret).encode()):
    raise PermissionError("its token differs")
  fields = _peer.parse(text)
  if set(fields) != set(Greeting._fields):
    raise ValueError("its greeting has other fields")
  greeting = Greeting(**fields)
  if type(greeting.process) is not int or type(greeting.of) is not int:
    raise ValueError("its process id or number is not an integer")
  if not 0 <= greeting.process < greeting.of:
    raise ValueError("its process id is out of range")
  if not (
    isinstance(greeting.host, str)
    and greeting.host.isprintable()
    and 0 < len(greeting.host) <= _MOST_CHARACTERS
  ):
    raise ValueError("its host is not a name")
  if not isinstance(greeting.same, dict):
    raise ValueError("its values have no names")
  return greeting


def _proof(text: str, secret: bytes) -> str:
  return hmac.new(secret, text.encode(), hashlib.sha256).hexdigest()
