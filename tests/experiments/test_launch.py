"""Tests of the launch files: what they start, and start again."""

import math
import os
import pathlib
import re
import shlex
import subprocess
import sys

import pytest
import yaml

from mixup_jax.runtime import arguments

LAUNCH = pathlib.Path(__file__).parents[2] / "experiments" / "launch"
FILES = ("jobset.yaml", "skypilot.yaml", "slurm.sh", "tpu_vm.sh")
# Bad input and a run that cannot continue are final; the rest starts again.
ENDS, STARTS_AGAIN = (0, 1, 2), (42, 134, 137, 139, 143, 255)

each_file = pytest.mark.parametrize("name", FILES)


def load(name):
  return yaml.safe_load((LAUNCH / name).read_text())


@pytest.fixture
def run_script(tmp_path):
  """Runs a script with its tools played; returns its status and their calls."""

  def run(name, status):
    bin_dir, calls = tmp_path / "bin", tmp_path / "calls"
    for folder in (bin_dir, tmp_path / ".venv" / "bin"):
      folder.mkdir(parents=True, exist_ok=True)
    (tmp_path / ".venv" / "bin" / "activate").write_text("")
    calls.write_text("")
    log = f'#!/bin/bash\nprintf "%s\\0" "${{0##*/}}" "$@" "" >> {calls}\n'
    for tool, code in (
      ("srun", f"echo $MIXUP_JAX_TOKEN > {tmp_path}/token; exit {status}"),
      ("scontrol", ""),
      ("sleep", "kill $PPID"),
      ("gcloud", f"exit {status}"),
    ):
      (bin_dir / tool).write_text(f"{log}{code}\n")
      (bin_dir / tool).chmod(0o755)
    done = subprocess.run(
      ["bash", LAUNCH / name],
      cwd=tmp_path,
      env={"PATH": f"{bin_dir}:{os.environ['PATH']}", "SLURM_JOB_ID": "7"},
      capture_output=True,
      text=True,
      check=False,
    )
    assert not done.stderr
    return done.returncode, [
      call.split("\0") for call in calls.read_text().split("\0\0")[:-1]
    ]

  return run


@pytest.fixture
def command(run_script):
  """Returns the command that a file starts on each host."""

  def of(name):
    if name == "jobset.yaml":
      return container()["command"]
    if name == "skypilot.yaml":
      return shlex.split(load(name)["run"].replace("\\\n", ""))[1:]
    call = run_script(name, 0)[1][0]
    if name == "slurm.sh":
      return call[call.index("python") :]
    (line,) = [word for word in call if word.startswith("--command=")]
    words = shlex.split(line.removeprefix("--command="))
    return words[words.index("exec") + 1 :]

  return of


def job():
  (replicated,) = load("jobset.yaml")["spec"]["replicatedJobs"]
  assert replicated["replicas"] == 1
  return replicated["template"]["spec"]


def pod():
  return job()["template"]["spec"]


def container():
  (only,) = pod()["containers"]
  return only


@each_file
def test_files_mark_three_places_to_edit(name):
  text = (LAUNCH / name).read_text()
  assert text.count("# EDIT: ") == text.count("EDIT") == 3


@each_file
def test_files_start_a_command_of_known_flags_and_a_config_that_loads(
  name, command, root, monkeypatch
):
  python, dash_m, module, *argv = command(name)
  assert python.endswith("python") and dash_m == "-m"
  assert module == "experiments.imagenet"
  config = root / "configs" / "imagenet.py"
  monkeypatch.chdir(root)
  monkeypatch.setattr(sys, "argv", [module, *argv])
  values = arguments.parse("imagenet", config)
  assert values.config.dataset == "imagenet2012"
  assert values.config.epochs == 90
  assert values.config.model.name == "resnet50"
  # On the disk that all hosts see.
  assert values.workdir.startswith("/runs/")
  assert values.config.data_dir.startswith("/runs/")
  assert values.distributed and values.coordinator is None
  assert values.expect_devices == 16
  assert not values.debug


@each_file
def test_files_start_the_same_command(name, command):
  assert command(name)[1:] == command("jobset.yaml")[1:]


def test_files_expect_the_devices_of_their_machines():
  chips = container()["resources"]["limits"]["google.com/tpu"]
  shape = pod()["nodeSelector"]["cloud.google.com/gke-tpu-topology"]
  assert math.prod(map(int, shape.split("x"))) == 16
  assert job()["parallelism"] == job()["completions"] == 16 // chips
  sky = load("skypilot.yaml")
  assert sky["num_nodes"] == 1
  assert sky["resources"]["accelerators"].endswith("-16")
  slurm = slurm_options()
  assert int(slurm["nodes"]) * int(slurm["gpus-per-node"]) == 16


def test_jobset_has_the_fields_that_it_needs():
  jobset = load("jobset.yaml")
  assert jobset["apiVersion"] == "jobset.x-k8s.io/v1alpha2"
  assert set(jobset["spec"]) <= {
    "failurePolicy",
    "network",
    "replicatedJobs",
    "successPolicy",
    "startupPolicy",
    "suspend",
    "ttlSecondsAfterFinished",
  }
  assert jobset["spec"]["network"]["enableDNSHostnames"]
  assert job()["completionMode"] == "Indexed"
  assert pod()["restartPolicy"] == "Never"  # Else there is no failure policy.
  assert pod()["hostNetwork"]
  assert pod()["dnsPolicy"] == "ClusterFirstWithHostNet"
  assert pod()["terminationGracePeriodSeconds"] >= 60
  mounts = {mount["name"] for mount in container()["volumeMounts"]}
  assert mounts == {volume["name"] for volume in pod()["volumes"]}
  assert all(isinstance(env["value"], str) for env in container()["env"])


@pytest.mark.parametrize("status", ENDS[1:] + STARTS_AGAIN)
def test_jobset_restarts_unless_the_input_is_bad(status):
  assert job()["backoffLimit"] == 0  # What no rule names fails the job too.
  (rule,) = job()["podFailurePolicy"]["rules"]
  assert rule["action"] == "FailJob"
  assert rule["onExitCodes"]["containerName"] == container()["name"]
  assert rule["onExitCodes"]["operator"] == "In"
  named = status in rule["onExitCodes"]["values"]
  policy = load("jobset.yaml")["spec"]["failurePolicy"]
  (over,) = policy["rules"]
  assert over["action"] == "FailJobSet" and policy["maxRestarts"] > 0
  assert over["onJobFailureReasons"] == ["PodFailurePolicy"]
  assert named == (status in ENDS)


def test_skypilot_task_has_known_fields():
  task = load("skypilot.yaml")
  assert set(task) <= {
    "name",
    "num_nodes",
    "resources",
    "workdir",
    "file_mounts",
    "envs",
    "setup",
    "run",
    "secrets",
    "volumes",
    "config",
  }
  assert set(task["resources"]) <= {
    "infra",
    "accelerators",
    "accelerator_args",
    "use_spot",
    "job_recovery",
    "disk_size",
    "image_id",
    "any_of",
    "ordered",
    "autostop",
  }
  recovery = task["resources"]["job_recovery"]
  assert set(recovery) == {
    "strategy",
    "max_restarts_on_errors",
    "recover_on_exit_codes",
  }
  codes = set(recovery["recover_on_exit_codes"])
  # 137 is the status of others when SkyPilot ends them for one's 2.
  assert not codes & {*ENDS, 137} and {42, 134, 143} <= codes
  assert recovery["max_restarts_on_errors"] == 0
  assert task["run"].startswith("exec ")  # SIGTERM is for Python.
  assert task["file_mounts"]["/runs"]["mode"].startswith("MOUNT")


def slurm_options():
  lines = (LAUNCH / "slurm.sh").read_text().splitlines()
  commands = [i for i, line in enumerate(lines) if line and line[0] != "#"]
  options = {}
  for index, line in enumerate(lines):
    if line.startswith("#SBATCH"):
      assert index < commands[0], "Slurm reads no options after a command"
      name, _, value = line.removeprefix("#SBATCH --").partition("=")
      options[name] = value
  return options


def test_slurm_gives_each_host_a_process_with_time_to_save():
  options = slurm_options()
  assert set(options) == {
    "nodes",
    "gpus-per-node",
    "cpus-per-task",
    "time",
    "job-name",
    "ntasks-per-node",
    "output",
    "open-mode",
    "requeue",
    "signal",
  }
  assert options["ntasks-per-node"] == "1"
  name, seconds = options["signal"].split("@")
  assert name == "TERM" and int(seconds) >= 60


@pytest.mark.parametrize("status", ENDS + STARTS_AGAIN)
def test_slurm_restarts_unless_the_input_is_bad(run_script, status):
  left, (srun, *others) = run_script("slurm.sh", status)
  assert left == status and srun[0] == "srun"
  assert srun[1:3] == ["--kill-on-bad-exit=0", "--wait=60"]
  assert others == [["scontrol", "requeue", "7"]] * (status in STARTS_AGAIN)


def test_slurm_gives_each_start_a_token_of_its_own(run_script, tmp_path):
  tokens = set()
  for _ in range(2):
    run_script("slurm.sh", 0)
    tokens.add((tmp_path / "token").read_text())
  assert len(tokens) == 2
  assert all(re.fullmatch("[0-9a-f]{32}\n", token) for token in tokens)


@pytest.mark.parametrize("status", ENDS + STARTS_AGAIN)
def test_tpu_vm_restarts_unless_the_input_is_bad(run_script, status):
  left, (gcloud, *others) = run_script("tpu_vm.sh", status)
  assert gcloud[:6] == ["gcloud", "compute", "tpus", "tpu-vm", "ssh", "mixup"]
  assert "--worker=all" in gcloud
  if status in ENDS:
    assert left == status and not others
  else:
    assert others == [["sleep", "30"]]  # Where this test ends it.


def test_tpu_vm_is_called_the_old_way():
  first = (LAUNCH / "tpu_vm.sh").read_text().splitlines()[1]
  assert "old way" in first
