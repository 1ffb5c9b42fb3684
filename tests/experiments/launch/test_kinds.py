"""Tests of launch files: what they start, and start again."""

import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sysconfig

import pytest
import yaml

from experiments.launch import __main__ as launch
from experiments.launch import kinds
from experiments.launch import statuses
from mixup_jax.runtime import arguments

LAUNCH = pathlib.Path(kinds.__file__).parent
FILES = {kind: f"{kind}{each.suffix}" for kind, each in kinds.KINDS.items()}
SCRIPTS = ("slurm", "tpu_vm")
# With a status of a signal that the table does not list.
CODES = (*statuses.STATUSES, 135)

each_kind = pytest.mark.parametrize("kind", kinds.KINDS)
each_script = pytest.mark.parametrize("kind", SCRIPTS)
each_status = pytest.mark.parametrize("status", CODES)


def load(kind):
  return yaml.safe_load((LAUNCH / FILES[kind]).read_text())


def starts_again(status):
  return status not in statuses.final()


@pytest.fixture
def run_script(tmp_path):
  """Runs a script with its tools played; returns its status and their calls."""

  def run(kind, status, *words, **tools):
    calls = tmp_path / "calls"
    for part in (*kinds.PARTS, "bin"):
      (tmp_path / part).mkdir(exist_ok=True)
    calls.write_text("")
    log = f'#!/bin/bash\nprintf "%s\\0" "${{0##*/}}" "$@" "" >> {calls}\n'
    played = {
      "srun": f"env > {tmp_path}/env; exit {status}",
      "scontrol": "",
      "sleep": "kill $PPID",
      "gcloud": f'[[ "$*" == *"exec ~"* ]] && exit {status}\nexit 0',
      **tools,
    }
    for tool, code in played.items():
      (tmp_path / "bin" / tool).write_text(f"{log}{code}\n")
      (tmp_path / "bin" / tool).chmod(0o755)
    done = subprocess.run(
      ["bash", LAUNCH / FILES[kind], *words],
      cwd=tmp_path,
      env={
        "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        "SLURM_JOB_ID": "7",
        "SLURM_CPUS_PER_TASK": "32",
      },
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

  def of(kind):
    if kind == "jobset":
      return container()["command"]
    if kind == "skypilot":
      return shlex.split(load(kind)["run"].replace("\\\n", ""))[1:]
    call = run_script(kind, 0)[1][-1]
    if kind == "slurm":
      return call[call.index(".venv/bin/python") :]
    (line,) = [word for word in call if word.startswith("--command=")]
    return shlex.split(line.rpartition("\nexec ")[2].replace("\\\n", ""))

  return of


def job():
  (replicated,) = load("jobset")["spec"]["replicatedJobs"]
  return replicated["template"]["spec"]


def pod():
  return job()["template"]["spec"]


def container():
  (only,) = pod()["containers"]
  return only


@each_kind
def test_files_start_a_command_of_known_flags(kind, command, root, monkeypatch):
  python, dash_m, module, *argv = command(kind)
  assert python.endswith("python") and dash_m == "-m"
  assert module == "experiments.imagenet"
  monkeypatch.chdir(root)
  config = root / "configs" / "imagenet.py"
  values = arguments.parse("imagenet", config, [module, *argv])
  assert values.config.dataset == "imagenet2012"
  assert values.config.epochs == 90
  assert values.config.model.name == "resnet50"
  assert values.workdir == "gs://BUCKET/resnet50"
  assert values.config.data_dir == "gs://BUCKET/data"
  assert values.distributed and values.coordinator is None
  assert values.expect_devices == (32 if kind == "jobset" else 16)
  assert not values.debug


@each_kind
def test_files_keep_what_is_compiled(kind):
  text = (LAUNCH / FILES[kind]).read_text()
  assert re.search(
    r"JAX_COMPILATION_CACHE_DIR\W+(value: )?gs://BUCKET/resnet50/compile_cache",
    text,
  )


def test_files_expect_the_devices_of_their_machines():
  assert container()["resources"]["limits"] == {"google.com/tpu": 4}
  assert pod()["nodeSelector"] == {
    "cloud.google.com/gke-tpu-accelerator": "tpu-v5-lite-podslice",
    "cloud.google.com/gke-tpu-topology": "4x4",
  }
  (replicated,) = load("jobset")["spec"]["replicatedJobs"]
  assert replicated["replicas"] == 2  # Slices.
  assert job()["parallelism"] == job()["completions"] == 16 // 4
  sky = load("skypilot")
  assert sky["num_nodes"] == 1
  assert sky["resources"]["accelerators"] == "tpu-v5litepod-16"
  slurm = slurm_options()
  assert (slurm["nodes"], slurm["gpus-per-node"]) == ("4", "4")


def test_jobset_has_the_fields_that_it_needs():
  jobset = load("jobset")
  assert jobset["apiVersion"] == "jobset.x-k8s.io/v1alpha2"
  assert jobset["metadata"]["labels"] == {"kueue.x-k8s.io/queue-name": "tpus"}
  assert set(jobset["spec"]) == {"failurePolicy", "network", "replicatedJobs"}
  assert jobset["spec"]["network"]["enableDNSHostnames"]
  assert job()["completionMode"] == "Indexed"
  assert pod()["restartPolicy"] == "Never"  # Else there is no failure policy.
  assert pod()["hostNetwork"]
  assert pod()["dnsPolicy"] == "ClusterFirstWithHostNet"
  assert pod()["terminationGracePeriodSeconds"] == 300
  assert pod()["serviceAccountName"] == "mixup"
  assert all(isinstance(env["value"], str) for env in container()["env"])
  assert all(isinstance(word, str) for word in container()["command"])


def test_jobset_leaves_out_what_is_not_given(made):
  jobset = yaml.safe_load(made("jobset", "--image=i:1"))
  assert "labels" not in jobset["metadata"]
  (replicated,) = jobset["spec"]["replicatedJobs"]
  assert replicated["replicas"] == 1
  assert "serviceAccountName" not in str(replicated)


@each_status
def test_jobset_follows_the_table(status):
  assert job()["backoffLimit"] == 0  # What no rule names fails the job too.
  (rule,) = job()["podFailurePolicy"]["rules"]
  assert rule["action"] == "FailJob"
  assert rule["onExitCodes"]["containerName"] == container()["name"]
  assert rule["onExitCodes"]["operator"] == "In"
  policy = load("jobset")["spec"]["failurePolicy"]
  (over,) = policy["rules"]
  assert over["action"] == "FailJobSet"
  assert policy["maxRestarts"] == statuses.MAX_RESTARTS
  assert over["onJobFailureReasons"] == ["PodFailurePolicy"]
  if status:  # Kubernetes refuses 0 among them.
    ends = status in rule["onExitCodes"]["values"]
    assert ends != starts_again(status)
  assert 0 not in rule["onExitCodes"]["values"]


def test_skypilot_task_has_known_fields_and_no_mount():
  task = load("skypilot")
  assert set(task) == {
    *("name", "num_nodes", "resources", "workdir", "envs", "setup", "run")
  }
  assert set(task["resources"]) == {
    *("infra", "accelerators", "accelerator_args", "use_spot", "job_recovery")
  }
  assert task["run"].startswith("exec ")  # SIGTERM is for Python.


def test_skypilot_follows_the_table_but_for_its_own_signal():
  recovery = load("skypilot")["resources"]["job_recovery"]
  assert recovery["max_restarts_on_errors"] == 0
  assert set(recovery["recover_on_exit_codes"]) == recovers()


def recovers():
  # 137 is the status of others when SkyPilot ends them for one's 2; it has no
  # connections of which 255 could be the loss.
  return {*statuses.again()} - {137, 255}


@pytest.mark.parametrize("kind", ["skypilot", "tpu_vm"])
def test_machines_get_a_python_and_packages_of_a_date(kind):
  text = (LAUNCH / FILES[kind]).read_text()
  assert re.search(r"/uv/\d+\.\d+\.\d+/install\.sh", text)
  assert re.search(r"uv venv .*--python=3\.1[1-9] ~/mixup_venv", text)
  assert "--exclude-newer=2026-11-26 '.[experiments,tpu,gcs]'" in text
  assert text.count("~/mixup_venv/bin/python") == 2  # Installs, and runs.


def slurm_options(text=None):
  lines = (text or (LAUNCH / "slurm.sh").read_text()).splitlines()
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
    *("nodes", "ntasks-per-node", "gpus-per-node", "cpus-per-task", "time"),
    *("job-name", "output", "open-mode", "requeue", "signal"),
  }
  assert options["ntasks-per-node"] == "1"
  assert options["signal"] == "TERM@300"


@pytest.mark.parametrize("processes, cores", [("2", "16"), ("4", "8")])
def test_slurm_shares_a_host_out_if_asked(made, processes, cores):
  flag = f"--processes_per_host={processes}"
  text = made("slurm", flag, devices="gpu:2x4")
  options = slurm_options(text)
  assert options["ntasks-per-node"] == processes
  assert options["gpus-per-node"] == "4"
  assert options["cpus-per-task"] == cores
  assert "--expect_devices=8" in text


@each_status
def test_slurm_follows_the_table(run_script, status):
  left, (srun, *others) = run_script("slurm", status)
  assert left == status and srun[0] == "srun"
  assert srun[1:3] == ["--kill-on-bad-exit=0", "--wait=60"]
  assert others == [["scontrol", "requeue", "7"]] * starts_again(status)


def test_slurm_gives_each_start_a_token_of_its_own(run_script, tmp_path):
  tokens = set()
  for _ in range(2):
    run_script("slurm", 0)
    env = (tmp_path / "env").read_text().splitlines()
    assert "SRUN_CPUS_PER_TASK=32" in env
    tokens |= {line for line in env if line.startswith("MIXUP_JAX_TOKEN=")}
  assert len(tokens) == 2
  assert all(re.fullmatch("[^=]+=[0-9a-f]{32}", token) for token in tokens)


@each_status
def test_tpu_vm_follows_the_table(run_script, status):
  left, (scp, setup, start, *others) = run_script("tpu_vm", status)
  assert scp[:5] == ["gcloud", "compute", "tpus", "tpu-vm", "scp"]
  for call in (setup, start):
    assert call[:6] == ["gcloud", "compute", "tpus", "tpu-vm", "ssh", "mixup"]
  for call in (scp, setup, start):
    assert "--worker=all" in call and "--zone=us-west4-a" in call
  if starts_again(status):
    assert others == [["sleep", "30"]]  # Where this test ends it.
  else:
    assert left == status and not others


@pytest.mark.parametrize("failing", ["scp", "ssh"])
def test_tpu_vm_ends_if_the_repository_cannot_be_copied(run_script, failing):
  left, calls = run_script(
    "tpu_vm", 0, gcloud=f"[[ $4 == {failing} ]] && exit 5; exit 0"
  )
  assert left == 5 and len(calls) == {"scp": 1, "ssh": 2}[failing]


# Plays the hosts: copies and commands happen here.
HOST = """
[[ $4 == scp ]] && exec cp "$5" ~
exec bash -c "${!#:10}"
"""
PYTHON = """#!/bin/bash
[[ -f configs/this ]] && echo ran "$@" >> ~/log
"""


def test_tpu_vm_waits_for_the_process_of_before(run_script, tmp_path):
  (tmp_path / "mixup_venv" / "bin").mkdir(parents=True)
  python = tmp_path / "mixup_venv" / "bin" / "python"
  python.write_text(PYTHON)
  python.chmod(0o755)
  (tmp_path / "configs").mkdir()
  (tmp_path / "configs" / "this").touch()
  old = subprocess.Popen(
    [
      *("bash", "-c"),
      "exec 9>> ~/.mixup.lock; flock 9; echo $$ > ~/.mixup.pid\n"
      "trap 'echo saved >> ~/log; exit 143' TERM; echo; read",
    ],
    env={**os.environ, "HOME": str(tmp_path)},
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
  )
  assert old.stdout.readline()
  tools = {"gcloud": HOST, "curl": "", "uv": ""}
  left, _ = run_script("tpu_vm", 0, **tools)
  assert old.wait(5) == 143 and left == 0
  saved, ran = (tmp_path / "log").read_text().splitlines()
  assert saved == "saved"
  assert ran.startswith("ran -m experiments.imagenet --config=configs/")
  assert (tmp_path / "mixup_jax" / "experiments").is_dir()
  old.communicate()


@pytest.mark.parametrize("runs", [True, False])
def test_tpu_vm_stops_what_runs_and_nothing_else(run_script, tmp_path, runs):
  lock = "exec 9>> ~/.mixup.lock; flock 9;" if runs else ""
  old = subprocess.Popen(
    ["bash", "-c", f"{lock} echo $$ > ~/.mixup.pid; echo; read"],
    env={**os.environ, "HOME": str(tmp_path)},
    stdin=subprocess.PIPE,
    stdout=subprocess.PIPE,
  )
  assert old.stdout.readline()
  left, calls = run_script("tpu_vm", 0, "stop", gcloud=HOST)
  assert left == 0 and len(calls) == 1
  old.communicate(b"\n", timeout=5)
  assert old.returncode == (-signal.SIGTERM if runs else 0)


def tool(name):
  found = shutil.which(
    name, path=f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}"
  )
  if not found:
    pytest.skip(f"{name} is not installed")
  return found


@each_script
def test_scripts_are_free_of_what_shellcheck_finds(kind):
  subprocess.run([tool("shellcheck"), LAUNCH / FILES[kind]], check=True)


def test_dockerfile_is_free_of_what_hadolint_finds():
  subprocess.run([tool("hadolint"), LAUNCH / "Dockerfile"], check=True)


def test_dockerfile_copies_what_a_run_needs():
  lines = (LAUNCH / "Dockerfile").read_text().splitlines()
  copies = [line.split()[1:-1] for line in lines if line.startswith("COPY ")]
  assert sorted(sum(copies, [])) == sorted(kinds.PARTS)
  assert any(re.match(r"FROM python:3\.1[1-9]-", line) for line in lines)


def test_readme_has_the_table_of_statuses():
  lines = (LAUNCH / "README.md").read_text().splitlines()
  words = {True: "starts again", False: "ends"}
  for code, status in statuses.STATUSES.items():
    both = words[status.again], words[code in recovers()]
    row = f"| {code} | {status.meaning} | {both[0]} | {both[1]} |"
    assert row in lines
  rows = [line for line in lines if re.match(r"\| \d+ \|", line)]
  assert len(rows) == len(statuses.STATUSES)


@pytest.fixture
def made(tmp_path):
  """Returns a function that makes a file, and returns its text."""

  def make(kind, *words, devices="v5e:4x4"):
    out = tmp_path / FILES[kind]
    flags = ("--section=cifar", "--workdir=gs://BUCKET/a", f"--out={out}")
    launch.main([f"--kind={kind}", f"--slice={devices}", *flags, *words])
    return out.read_text()

  return make
