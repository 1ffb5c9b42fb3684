"""Tests of the greeting of a process, and its proof."""

import pytest

from mixup_jax.runtime.distributed import _greeting

GREETING = _greeting.Greeting(1, 2, "host", {"seeds": [1, 2]})


def test_verify_returns_what_sign_signed():
  message = _greeting.sign(GREETING, b"secret")
  assert _greeting.verify(message, b"secret") == GREETING
  assert "secret" not in str(message)


def test_verify_refuses_another_secret_and_a_changed_greeting():
  message = _greeting.sign(GREETING, b"secret")
  with pytest.raises(PermissionError, match="token differs"):
    _greeting.verify(message, b"other")
  message["greeting"] = message["greeting"].replace("host", "Host")
  with pytest.raises(PermissionError, match="token differs"):
    _greeting.verify(message, b"secret")


def test_verify_parses_nothing_without_a_proof(monkeypatch):
  monkeypatch.delattr(_greeting._peer, "parse")
  with pytest.raises(PermissionError):
    _greeting.verify({"greeting": "{}", "proof": ""}, b"secret")


def test_secret_is_the_token_or_of_the_coordinator(monkeypatch):
  monkeypatch.delenv(_greeting.TOKEN, raising=False)
  assert _greeting.secret("a:1") != _greeting.secret("a:2")
  monkeypatch.setenv(_greeting.TOKEN, "word")
  assert _greeting.secret("a:1") == _greeting.secret("a:2") == b"word"
