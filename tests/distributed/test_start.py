"""Proves what `initialize` takes, and what it finds by itself."""

import jax
import pytest

from mixup_jax import distributed
from mixup_jax.distributed import _start


@pytest.mark.parametrize("change, message", [
    (dict(process_id=None), "process_id=None: give all three, or none"),
    (dict(coordinator=None), "coordinator=None.*give all three, or none"),
    (dict(process_id=2), "from 0 to 1 with num_processes 2, got 2"),
    (dict(process_id=-1), "got -1"),
    (dict(num_processes=0), "at least 1, got 0"),
    (dict(coordinator="host"), "host:port .* got 'host'"),
    (dict(coordinator="host:http"), "got 'host:http'"),
    (dict(coordinator="host:70000"), "from 1 to 65535, .* got 'host:70000'"),
    (dict(coordinator=":1234"), "got ':1234'"),
])
def test_bad_arguments_name_the_value_and_the_remedy(change, message):
  start = dict(coordinator="host:1234", num_processes=2, process_id=0)
  with pytest.raises(ValueError, match=message):
    distributed.initialize(**start | change)


def test_an_address_may_be_of_the_new_kind():
  assert _start._parse_address("[::1]:1234") == ("::1", 1234)


def test_without_a_cluster_there_is_nothing_to_detect(monkeypatch):
  monkeypatch.setenv("TPU_SKIP_MDS_QUERY", "1")
  with pytest.raises(ValueError, match="found no cluster.*give coordinator"):
    distributed.initialize()


def test_slurm_says_who_we_are(monkeypatch):
  monkeypatch.setenv("TPU_SKIP_MDS_QUERY", "1")
  for name, value in dict(SLURM_JOB_ID="1",
                          SLURM_STEP_NODELIST="node7",
                          SLURM_NTASKS="4",
                          SLURM_PROCID="3",
                          SLURM_LOCALID="3",
                          JAX_COORDINATOR_PORT="1234").items():
    monkeypatch.setenv(name, value)
  assert _start._detect(1) == ("node7:1234", 4, 3)


def test_a_second_start_is_an_error(monkeypatch):
  monkeypatch.setattr(jax.distributed, "is_initialized", lambda: True)
  with pytest.raises(RuntimeError, match="already: call initialize once"):
    distributed.initialize()
