"""The strict settings under which every test runs."""

import atexit
import gc
import os
import pathlib
import shutil
import signal
import tempfile
import uuid

from jaxlib.version import __version_info__ as jaxlib_version

os.environ["JAX_PLATFORMS"] = "cpu"
# Programs of tests run once or twice: XLA takes longer to make them fast than
# they then save. Small programs are not worth several threads, and the older
# emitters, where XLA still has them, compile in half the time.
_flags = [
  os.environ.get("XLA_FLAGS", ""),
  "--xla_force_host_platform_device_count=8",
  "--xla_backend_optimization_level=0",
  "--xla_cpu_parallel_codegen_split_count=1",
]
if jaxlib_version < (0, 11):  # An unknown flag ends the process.
  _flags.append("--xla_cpu_use_fusion_emitters=false")
os.environ["XLA_FLAGS"] = " ".join(_flags)
# Processes that tests start share what they compile, with all of this session.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:  # Workers have it already.
  _compiled = tempfile.mkdtemp(prefix="mixup_jax-tests-")
  atexit.register(shutil.rmtree, _compiled, ignore_errors=True)
  os.environ["JAX_COMPILATION_CACHE_DIR"] = _compiled
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.1"

from tests import bucket as buckets  # noqa: E402

# Some clients of gs:// read theirs when they are imported.
os.environ.update(buckets.environment(port=1))

import hypothesis  # noqa: E402
import jax  # noqa: E402
import pytest  # noqa: E402

jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_debug_key_reuse", True)
jax.config.update("jax_enable_compilation_cache", False)  # In this process.

hypothesis.settings.register_profile(
  "mixup_jax",
  deadline=None,  # The first example of a shape compiles.
  derandomize=True,
  max_examples=20,
)
hypothesis.settings.load_profile("mixup_jax")

# Tracing makes many objects, and most live: collect them less often.
gc.set_threshold(20_000, 20, 10)

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture
def getkey():
  """Returns a function that gives a fresh typed key at each call."""
  root, count = jax.random.key(20171025), 0

  def fresh():
    nonlocal count
    count += 1
    return jax.random.fold_in(jax.random.clone(root), count)

  return fresh


@pytest.fixture
def sigterm(monkeypatch):
  """Returns a function that sends SIGTERM to this process, as a notice.

  It takes and ignores any arguments. The notice is forgotten after the test.
  """
  from mixup_jax.runtime import preemption

  monkeypatch.setattr(preemption, "_is_noticed", False)
  with preemption.noticed():
    yield lambda *_: signal.raise_signal(signal.SIGTERM)


@pytest.fixture
def fast_steps(monkeypatch):
  """Compiles training steps for longer: for tests that run hundreds of them.

  A step of the smoke test of CIFAR takes 4 instead of 27 ms.
  """
  from mixup_jax.train import backend

  options = backend._CPU_OPTIONS
  often = options["run often"] | {"xla_backend_optimization_level": 1}
  monkeypatch.setitem(options, "run often", often)
  backend._known_options.cache_clear()
  yield
  backend._known_options.cache_clear()


@pytest.fixture
def root() -> pathlib.Path:
  """Returns the root of the repository."""
  return ROOT


@pytest.fixture
def raw_data() -> pathlib.Path:
  """Returns the directory of real raw data sets, or skips the test."""
  directory = os.environ.get("MIXUP_JAX_RAW_DATA")
  if not directory:
    pytest.skip(
      "set MIXUP_JAX_RAW_DATA to a directory of raw data sets "
      "(uci/abalone/abalone.data, ...) to run this test"
    )
  return pathlib.Path(directory)


@pytest.fixture(scope="session")
def bucket_server():
  """Returns the way to a server of gs://, which this process then uses."""
  try:
    program = buckets.binary()
  except ImportError as error:
    pytest.skip(f"no server of gs:// to test with: {error}")
  with buckets.served(program) as port, buckets.Proxy(port) as proxy:
    os.environ.update(buckets.environment(proxy.port))
    yield proxy
    proxy.shutdown()


@pytest.fixture
def bucket(bucket_server) -> str:
  """Returns a new address in a bucket on loopback, or skips the test."""
  return f"gs://bucket/{uuid.uuid4().hex}"
