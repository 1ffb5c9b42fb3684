"""A job: what is run, on what, and where it writes."""

from typing import NamedTuple

from experiments.launch import slices


class Job(NamedTuple):
  """What a launch file starts.

  Attributes:
    name: A name that Kubernetes takes: lower case, digits and "-".
    section: The section of the paper, such as "imagenet".
    flags: Of the section, but for those that follow from the other fields.
    slice: The devices of a slice.
    slices: How many slices.
    workdir: The working directory, equal on all hosts.
    compile_cache: Where jax keeps compiled programs.
    grace: Seconds to save, from SIGTERM to SIGKILL.
    made_by: The command that wrote the file.
    options: Those of its kind of file alone, by name; "" if not given.
  """

  name: str
  section: str
  flags: tuple[str, ...]
  slice: slices.Slice
  slices: int
  workdir: str
  compile_cache: str
  grace: int
  made_by: str
  options: dict[str, str]

  @property
  def processes(self) -> int:
    """The number of processes of the run."""
    per_host = int(self.options.get("processes_per_host", 1))
    return self.slice.hosts * self.slices * per_host

  @property
  def command(self) -> list[str]:
    """The words of the command on each host, after Python itself."""
    return [
      "-m",
      f"experiments.{self.section}",
      *self.flags,
      f"--workdir={self.workdir}",
      *(["--distributed"] if self.processes > 1 else []),
      f"--expect_devices={self.slice.devices * self.slices}",
    ]
