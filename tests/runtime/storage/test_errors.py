"""Tests of the errors of a bucket, as its clients raise them."""

import errno
import os

import pytest

from mixup_jax.runtime import storage

# As tensorstore words them.
ENDED = (
  'ABORTED: Error opening "auto" driver: Error reading gs://bucket/manifest: '
  "All 32 retry attempts failed: "
)
# As array_record does, after a quarter of an hour.
EXHAUSTED = (
  "Retry policy exhausted, with a last message of Received HTTP status code: "
  "503; reading gs://bucket/train.array_record-00000-of-00001; at byte 0"
)
REFUSED = (
  "Error reading gs://bucket/manifest: Forbidden [http_response_code='403']"
)


def outages():
  """Yields errors of an outage, made by the clients' own classes."""
  aiohttp = pytest.importorskip("aiohttp")
  gcsfs = pytest.importorskip("gcsfs.retry")
  google = pytest.importorskip("google.api_core.exceptions")
  requests = pytest.importorskip("requests")
  yield gcsfs.HttpError({"code": 503, "message": ""})
  yield gcsfs.HttpError({"code": "429", "message": "slow down"})
  yield aiohttp.ClientOSError(errno.ECONNRESET, os.strerror(errno.ECONNRESET))
  yield aiohttp.ServerDisconnectedError()
  yield aiohttp.ClientPayloadError()
  yield requests.exceptions.ProxyError()
  yield requests.exceptions.ReadTimeout()
  yield google.RetryError("Timeout of 120.0s exceeded", cause=None)
  yield google.ServiceUnavailable("away")
  yield ValueError(ENDED + "Service Unavailable [http_response_code='503']")
  yield RuntimeError(EXHAUSTED)
  yield ValueError(ENDED + "CURL error Failure when receiving data")


def test_as_os_error_of_an_outage_is_unavailable():
  for error in outages():
    assert storage.is_transient(error), error
    found = storage.as_os_error(error)
    assert isinstance(found, storage.Unavailable), error
    assert "run the same command again" in str(found)
    wrapped = OSError("could not write")
    wrapped.__cause__ = error
    assert storage.is_transient(wrapped)
    assert storage.is_transient(ExceptionGroup("several", [KeyError(), error]))


def test_as_os_error_of_a_refusal_is_one_that_no_restart_helps():
  gcsfs = pytest.importorskip("gcsfs.retry")
  google = pytest.importorskip("google.api_core.exceptions")
  for error in (
    gcsfs.HttpError({"code": 401, "message": "Anonymous caller"}),
    google.Forbidden("no access"),
    OSError("Forbidden: https://storage.googleapis.com/b"),
    ValueError(REFUSED),
  ):
    found = storage.as_os_error(error)
    assert type(found) is OSError and "refused a request" in str(found)


@pytest.mark.parametrize(
  "error",
  (
    OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
    FileNotFoundError("b/bucket/o/run"),
    ValueError("NOT_FOUND: Error opening driver"),
    ValueError("the 3 bytes are not an image, or are damaged"),
    RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 503 bytes."),
    RuntimeError("UNAVAILABLE: the coordination service"),
    ConnectionResetError(errno.ECONNRESET, "of another socket"),
    KeyError("code"),
  ),
  ids=str,
)
def test_as_os_error_leaves_other_errors_alone(error):
  assert storage.as_os_error(error) is None
