"""What the processes have that a test starts."""

import os


def environment(devices: int) -> dict[str, str]:
  """Returns the environment of the tests with another number of devices."""
  name = "--xla_force_host_platform_device_count"
  # The last one counts.
  flags = f"{os.environ['XLA_FLAGS']} {name}={devices}"
  return os.environ | {"XLA_FLAGS": flags}
