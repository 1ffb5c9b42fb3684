"""Errors of a bucket: an outage is no damage, and no bad input."""

import re
from typing import Iterator

# Those of the request, of too many requests, and of the server.
_TRANSIENT_CODES = {408, 429, *range(500, 505)}
# Classes of gcsfs, its HTTP clients and Google's, which are not imported here.
_TRANSIENT_CLASSES = {
  ("aiohttp", "ClientConnectionError"),
  ("aiohttp", "ClientPayloadError"),
  ("google", "RetryError"),
  ("google", "TransportError"),
  ("requests", "ChunkedEncodingError"),
  ("requests", "ConnectionError"),
  ("requests", "Timeout"),
}
# tensorstore and array_record raise errors of Python with text alone. That of
# XLA has words such as UNAVAILABLE and RESOURCE_EXHAUSTED too.
_TRANSIENT_TEXT = re.compile(
  r"retry attempts failed|CURL error|Retry policy exhausted"
  r"|http_response_code='(408|429|50[0-4])'"
)
# gcsfs raises an OSError without a number for a missing permission.
_REFUSED_TEXT = re.compile(r"^Forbidden: |http_response_code='40[13]'")
_CLIENTS = {"aiohttp", "gcsfs", "google", "requests"}
_WORDS = 300  # Characters: some messages hold a whole specification.


class Unavailable(OSError):
  """A bucket that did not answer, although its client retried for a while.

  The same command may work later: it ends with the status of that.
  """


def is_transient(error: BaseException) -> bool:
  """Returns whether an error, or a cause of it, is an outage of a bucket."""
  return any(map(_is_transient, _causes(error)))


def as_os_error(error: BaseException) -> OSError | None:
  """Returns an error of a bucket's client as an OSError.

  Args:
    error: Any error.

  Returns:
    `Unavailable` for an outage; an OSError for what else clients raise, such as
    for a missing permission; None for an error that is not of a bucket.
  """
  if is_transient(error):
    if isinstance(error, Unavailable):
      return error
    return Unavailable(
      f"the bucket is not available ({_words(error)}): run the same command "
      "again."
    )
  if _package(type(error)) in _CLIENTS or _REFUSED_TEXT.search(str(error)):
    return OSError(f"the bucket refused a request ({_words(error)}).")
  return None


def _is_transient(error: BaseException) -> bool:
  if isinstance(error, Unavailable):
    return True
  if _code(error) in _TRANSIENT_CODES:
    return True
  kinds = {(_package(kind), kind.__name__) for kind in type(error).__mro__}
  if kinds & _TRANSIENT_CLASSES:
    return True
  return bool(_TRANSIENT_TEXT.search(str(error)))


def _code(error: BaseException) -> int | None:
  """Returns the HTTP status of an error of a client, as a number, or None."""
  if _package(type(error)) not in _CLIENTS:
    return None
  code = str(getattr(error, "code", getattr(error, "status", "")))
  return int(code) if code.isdecimal() else None


def _package(kind: type) -> str:
  return kind.__module__.split(".")[0]


def _causes(error: BaseException) -> Iterator[BaseException]:
  """Yields an error, and what caused it."""
  seen: BaseException | None = error
  for _ in range(20):
    if seen is None:
      return
    yield seen
    if isinstance(seen, BaseExceptionGroup):
      for inner in seen.exceptions:
        yield from _causes(inner)
    seen = seen.__cause__


def _words(error: BaseException) -> str:
  text = " ".join(str(error).split())
  return f"{type(error).__name__}: {text}"[:_WORDS]
