"""Tests of the command line of a section."""

import json
import os
import pathlib
import signal
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mixup_jax import results
from mixup_jax.results import figures
from mixup_jax.results import lock
from mixup_jax.results.recorder import Recorder
from mixup_jax.runtime import cli
from mixup_jax.runtime import distributed
from mixup_jax.runtime import preemption
from mixup_jax.runtime import storage

CONFIG = pathlib.Path(__file__).parents[2] / "configs" / "tabular.py"
ROW = {
  "setting": "iris",
  "method": "ERM",
  "key": "erm",
  "metric": "test error (%)",
  "paper": 21.3,
  "value": 14.4,
  "std": 5.0,
  "n": 25,
  "epochs": 10,
}


@pytest.fixture
def launch(monkeypatch):

  def launch_toy(*argv, prepare=lambda config: None, run=None):
    monkeypatch.setattr(sys, "argv", ["toy", *argv])
    cli.launch(
      "toy",
      prepare=prepare,
      run=run or (lambda config, prepared, recorder: {"rows": [ROW]}),
      config_file=CONFIG,
    )

  return launch_toy


@pytest.fixture
def refused(launch, capsys):

  def launch_in_vain(*argv, **functions) -> str:
    with pytest.raises(SystemExit) as status:
      launch(*argv, **functions)
    assert status.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "Traceback" not in error
    return error

  return launch_in_vain


def test_launch_records_a_run_and_prints_its_table(launch, tmp_path, capsys):

  def run(config, prepared, recorder):
    assert config.seeds == 7 and prepared == "data"
    recorder.metrics(1, {"loss": 0.5})
    return {"rows": [ROW]}

  launch(
    f"--config={CONFIG}:seeds=3",
    "--config.seeds=7",
    f"--workdir={tmp_path}",
    prepare=lambda config: "data",
    run=run,
  )
  result = json.loads((tmp_path / "result.json").read_text())
  assert result["rows"] == [ROW] and result["config"]["seeds"] == 7
  out = capsys.readouterr().out
  assert "toy: 8 x cpu" in out and "14.40 ± 1.00" in out
  assert str(tmp_path / "result.json") in out


def test_launch_draws_the_figure_beside_the_result(launch, tmp_path, capsys):
  curve = {
    "setting": "iris",
    "method": "ERM",
    "key": "erm",
    "metric": "test error (%)",
    "epochs": [1, 2],
    "values": [[2.0, 1.0]],
  }
  launch(
    f"--workdir={tmp_path}", run=lambda *_: {"rows": [ROW], "curves": [curve]}
  )
  assert (tmp_path / "result.png").stat().st_size > 1000
  path = tmp_path / "result.png"
  assert f"figure written to {path}" in capsys.readouterr().out


def test_launch_succeeds_if_the_figure_fails(launch, tmp_path, capsys):
  missing = [{"setting": "a", "method": "mixup", "metric": "m", "paper": 3.0}]
  launch(
    f"--workdir={tmp_path}",
    run=lambda *_: {"rows": [ROW], "curves": [{}], "not_run": missing},
  )
  out, error = capsys.readouterr()
  assert error.startswith("no figure: KeyError: ") and "Traceback" not in error
  assert "figure written" not in out and (tmp_path / "result.json").exists()
  assert "Not run: 1 of the paper's 2 numbers (a: mixup 3.0)" in out
  assert max(len(line) for line in out.splitlines() if "/" not in line) <= 100


def test_launch_names_failed_jobs_at_the_end(launch, tmp_path, capsys):
  result = {"rows": [ROW], "failed": {"mixup": "the loss is nan at step 3"}}
  with pytest.raises(SystemExit) as status:
    launch(f"--workdir={tmp_path}", run=lambda *_: result)
  assert status.value.code == 1
  written = json.loads((tmp_path / "result.json").read_text())
  assert written["failed"] == result["failed"]
  line = capsys.readouterr().err
  assert line == "failed: mixup: the loss is nan at step 3\n"


@pytest.mark.parametrize(
  "argv, words",
  [
    (("--config.sedes=3",), "did you mean --config.seeds?"),
    (("--config.seeds=many",), "many"),
    ((f"--config={CONFIG}:datset=iris",), "did you mean 'dataset'"),
    ((f"--config={CONFIG}:seeds=x",), "seeds='x' is not of type int"),
    (("--config=nowhere.py",), "nowhere.py"),
    (("--wrokdir=x",), "workdir"),
    (("--profile=-1",), "--profile=-1 is negative: 0 traces none"),
    (("seeds=3",), "unexpected arguments ['seeds=3']: flags look like"),
  ],
)
def test_launch_reports_a_typo_in_one_line(refused, argv, words):
  assert words in refused(*argv)


def test_launch_refuses_numbers_out_of_range_before_the_section(refused):
  def prepare(config):
    raise AssertionError("the section was reached")

  words = "--config.train_fraction=nan", "--config.epochs=1000000000000"
  assert "config.train_fraction must be" in refused(words[0], prepare=prepare)
  assert "config.epochs must be at most" in refused(words[1], prepare=prepare)


def test_launch_finds_installed_configs_from_any_directory(
  launch, monkeypatch, tmp_path
):
  seeds = []

  def prepare(config):
    seeds.append(config.seeds)

  monkeypatch.chdir(tmp_path)
  flags = "--config=configs/tabular.py:seeds=3", f"--workdir={tmp_path / 'run'}"
  launch(*flags, prepare=prepare)
  (tmp_path / "configs").mkdir()
  (tmp_path / "configs" / "tabular.py").write_text(  # The user's own.
    "import ml_collections\n"
    "def get_config(argument):\n"
    "  return ml_collections.ConfigDict({'seeds': 4, 'argument': argument})\n"
  )
  launch(flags[0], f"--workdir={tmp_path / 'own'}", prepare=prepare)
  assert seeds == [3, 4]


def test_launch_keeps_compiled_programs_of_single_processes(
  launch, monkeypatch, tmp_path
):
  """Of several, one would find a program and the others compile it."""
  chosen = []
  monkeypatch.setattr(
    cli.compile_cache, "enable", lambda: chosen.append(sys.argv[-1])
  )
  monkeypatch.setattr(cli, "_join_the_others", lambda *_: None)
  for word in ("--distributed", "--coordinator=localhost:1", "--nodebug"):
    launch(f"--workdir={tmp_path / word}", word)
  assert chosen == ["--nodebug"]


def test_launch_refuses_a_bad_workdir_before_any_work(tmp_path, refused):
  (tmp_path / "file").write_text("")

  def prepare(config):
    raise AssertionError("worked before the check")

  error = refused(f"--workdir={tmp_path / 'file'}", prepare=prepare)
  assert "another with --workdir" in error


def test_launch_refuses_a_workdir_in_use_before_any_work(tmp_path, refused):
  def prepare(config):
    raise AssertionError("worked before the check")

  with lock.held(tmp_path):
    error = refused(f"--workdir={tmp_path}", prepare=prepare)
  assert f"{tmp_path} is in use by process {os.getpid()} on host" in error


@pytest.mark.parametrize(
  "flag", ("--workdir", "--config.data_dir", "--config.networks")
)
def test_launch_refuses_other_addresses_before_any_work(
  tmp_path, refused, monkeypatch, flag
):
  monkeypatch.chdir(tmp_path)
  config = CONFIG.with_name("calibration.py")
  error = refused(
    f"--config={config}", f"{flag}=s3://bucket/run", prepare=pytest.fail
  )
  assert f"{flag}=s3://bucket/run: s3:// is not supported" in error
  assert not list(tmp_path.iterdir())


def test_launch_writes_to_a_bucket_and_gives_it_back(
  launch, bucket, tmp_path, monkeypatch, capsys
):
  monkeypatch.chdir(tmp_path)
  monkeypatch.setattr(
    figures, "draw", lambda result, path: path.write_bytes(b"drawn") > 0
  )

  def run(config, prepared, recorder):
    recorder.metrics(1, {"loss": 0.5})
    assert (recorder.workdir / ".owner").exists()
    return {"rows": [ROW]}

  launch(f"--workdir={bucket}/", run=run)
  workdir = storage.path(bucket, "workdir")
  names = {path.name for path in storage.files_below(workdir)}
  assert names > {"config.json", "metrics.jsonl", "result.json", "result.png"}
  assert ".owner" not in names and not list(tmp_path.iterdir())
  assert json.loads((workdir / "result.json").read_text())["rows"] == [ROW]
  assert (workdir / "result.png").read_bytes() == b"drawn"
  out = capsys.readouterr().out
  assert f"written to {bucket}/result.json\nfigure written to {bucket}/" in out


def test_launch_refuses_a_bucket_that_is_not_there(refused, bucket):
  error = refused("--workdir=gs://nobucket/run", prepare=pytest.fail)
  assert "there is no bucket nobucket" in error and "--workdir" in error


@pytest.mark.parametrize("stage", ("prepare", "run"))
def test_launch_ends_an_outage_of_a_bucket_with_the_status_of_a_restart(
  launch, tmp_path, capsys, stage
):
  def fail(*_):
    raise RuntimeError("Retry policy exhausted, with a last message of 503")

  with pytest.raises(SystemExit) as status:
    launch(f"--workdir={tmp_path}", **{stage: fail})
  assert status.value.code == distributed.RESTART_STATUS == 42
  error = capsys.readouterr().err
  assert error.startswith("error: the bucket is not available (RuntimeError")
  assert "run the same command again" in error and "Traceback" not in error


def test_launch_ends_an_outage_at_the_end_with_the_same_status(
  launch, tmp_path, monkeypatch, capsys
):
  def fail(*_):
    raise storage.Unavailable("the bucket is not available")

  monkeypatch.setattr(Recorder, "result", fail)
  with pytest.raises(SystemExit) as status:
    launch(f"--workdir={tmp_path}")
  assert status.value.code == distributed.RESTART_STATUS
  assert "error: the bucket is not available" in capsys.readouterr().err


def test_launch_writes_to_a_workdir_in_the_home_directory(
  launch, tmp_path, monkeypatch
):
  monkeypatch.setenv("HOME", str(tmp_path))
  launch("--workdir=~/run")
  assert (tmp_path / "run" / "result.json").exists()


def test_launch_owns_the_workdir_until_it_ends(launch, tmp_path):
  def run(config, prepared, recorder):
    with pytest.raises(OSError, match="in use"), lock.held(tmp_path):
      raise AssertionError("two owners")
    return {"rows": [ROW]}

  launch(f"--workdir={tmp_path}", run=run)
  with lock.held(tmp_path):
    pass


def test_launch_reports_an_error_of_prepare_in_one_line(tmp_path, refused):

  def prepare(config):
    raise FileNotFoundError("htru2 is not prepared")

  error = refused(f"--workdir={tmp_path}", prepare=prepare)
  assert error == "error: htru2 is not prepared\n"
  assert not (tmp_path / "config.json").exists()


def test_launch_debug_shows_the_traceback(launch, tmp_path):

  def prepare(config):
    raise ValueError("bad input")

  with pytest.raises(ValueError, match="bad input"):
    launch("--debug", f"--workdir={tmp_path}", prepare=prepare)


def test_launch_keeps_the_traceback_of_a_bug(launch, tmp_path):

  def run(config, prepared, recorder):
    raise ValueError("a bug")

  with pytest.raises(ValueError, match="a bug"):
    launch(f"--workdir={tmp_path}", run=run)


@pytest.mark.parametrize(
  "error", (FloatingPointError("the loss is nan"), OSError("the disk is full"))
)
def test_launch_reports_a_failed_run_with_its_config(
  launch, tmp_path, capsys, error
):

  def run(config, prepared, recorder):
    raise error

  with pytest.raises(SystemExit) as status:
    launch(f"--workdir={tmp_path}", run=run)
  assert status.value.code == 1
  printed = capsys.readouterr().err
  assert printed.startswith(f"error: {error}\nThe config is {{")
  assert "'learning_rate': 0.001" in printed and "Traceback" not in printed
  assert not (tmp_path / "result.json").exists()


@pytest.mark.parametrize("stage", ("prepare", "run"))
def test_launch_asks_to_be_started_again_if_a_device_fails(
  launch, tmp_path, capsys, stage
):

  def fail(*args):
    raise jax.errors.JaxRuntimeError("INTERNAL: Core halted unexpectedly")

  with pytest.raises(SystemExit) as status:
    launch(f"--workdir={tmp_path}", **{stage: fail})
  assert status.value.code == 42
  assert f"--workdir={tmp_path}" in capsys.readouterr().err


@pytest.mark.parametrize("repeats", ("debug_nans", "debug_infs"))
def test_launch_reports_a_loss_that_jax_finds(
  launch, tmp_path, capsys, repeats
):
  """jax repeats the program by single operations, of arrays on the host."""

  def run(config, prepared, recorder):
    x = jax.device_put(np.float32(config.epochs))
    if repeats == "debug_infs":
      return jax.jit(lambda x: x / (x - x))(x)
    return jax.jit(lambda x: jnp.log(1 - 5 * x))(x)

  with getattr(jax, repeats)(True), pytest.raises(SystemExit) as status:
    launch(f"--workdir={tmp_path}", run=run)
  assert status.value.code == 1
  error = capsys.readouterr().err
  assert "invalid value" in error.lower() and "Traceback" not in error
  assert "lower the learning rate" in error and "The config is {" in error


@pytest.mark.parametrize("lost, status", [("", 143), ("the second group", 42)])
def test_launch_prints_how_to_resume_after_a_stop(
  launch, tmp_path, capsys, lost, status
):

  def run(config, prepared, recorder):
    raise preemption.Stopped("stopped after step 7", lost=lost)

  with pytest.raises(SystemExit) as stopped:
    launch(f"--workdir={tmp_path}", run=run)
  assert stopped.value.code == status
  printed = capsys.readouterr()
  text = printed.err if lost else printed.out
  assert "stopped after step 7" in text
  assert f"run the same command with --workdir={tmp_path}\n" in text
  assert f"{lost} is lost" in text if lost else "and saved" in text


def test_launch_finishes_if_a_notice_comes_after_the_last_work(
  launch, tmp_path, sigterm
):
  """There is nothing left to stop: the result is written."""

  def run(config, prepared, recorder):
    signal.raise_signal(signal.SIGTERM)
    return {"rows": [ROW]}

  launch(f"--workdir={tmp_path}", run=run)
  assert (tmp_path / "result.json").exists()


@pytest.mark.parametrize(
  "number, status, words",
  [(signal.SIGTERM, 42, "nothing saved"), (signal.SIGINT, 130, "interrupted")],
)
def test_launch_ends_at_once_on_a_signal_in_prepare(
  launch, monkeypatch, capfd, number, status, words
):
  """The message has the working directory that nobody named."""

  def leave(status):
    raise SystemExit(status)

  monkeypatch.setattr(os, "_exit", leave)
  with pytest.raises(SystemExit) as stopped:
    launch(prepare=lambda config: signal.raise_signal(number))
  assert stopped.value.code == status
  text = capfd.readouterr().err
  workdir = text.rpartition("the same command with --workdir=")[2].strip()
  assert words in text and pathlib.Path(workdir, ".owner").exists()


@pytest.mark.parametrize("argv", [(), ("--debug",)])
def test_launch_reports_an_interrupt_of_several_processes(
  launch, tmp_path, capsys, argv
):
  """Those get KeyboardInterrupt; with --debug, so does one alone."""

  def run(config, prepared, recorder):
    raise KeyboardInterrupt

  error = KeyboardInterrupt if argv else SystemExit
  with pytest.raises(error) as stopped:
    launch(f"--workdir={tmp_path}", *argv, run=run)
  if not argv:
    assert stopped.value.code == 130
    assert f"with --workdir={tmp_path}\n" in capsys.readouterr().err


def test_launch_debug_interrupts_with_a_traceback(launch, tmp_path):
  def run(config, prepared, recorder):
    signal.raise_signal(signal.SIGINT)

  with pytest.raises(KeyboardInterrupt):
    launch("--debug", f"--workdir={tmp_path}", run=run)


def test_launch_refuses_to_run_without_jit(refused, tmp_path):
  with jax.disable_jit():
    error = refused(f"--workdir={tmp_path}", prepare=pytest.fail)
  assert "JAX_DISABLE_JIT is set" in error and "unset it" in error


def test_launch_refuses_another_config_in_the_same_workdir(
  launch, refused, tmp_path
):
  launch(f"--workdir={tmp_path}")
  launch(f"--workdir={tmp_path}")
  error = refused(f"--workdir={tmp_path}", "--config.seeds=9")
  assert "config.seeds: 50 there, 9 here" in error


@pytest.mark.parametrize(
  "argv, words",
  [
    (("--num_processes=2",), "give all the same --workdir"),
    (("--distributed", "--process_id=1"), "give either"),
    (("--workdir=DIR", "--num_processes=2"), "give all three"),
    (
      (
        "--workdir=DIR",
        "--coordinator=here",
        "--num_processes=2",
        "--process_id=2",
      ),
      "from 0 to 1",
    ),
  ],
)
def test_launch_refuses_inconsistent_process_flags(
  refused, tmp_path, argv, words
):
  argv = [word.replace("DIR", str(tmp_path)) for word in argv]
  assert words in refused(*argv)


def test_launch_exits_with_the_restart_status_if_processes_are_missing(
  launch, tmp_path, capsys, monkeypatch
):

  def initialize(same, **_):
    assert same["section"] == "toy" and same["config.seeds"] == 50
    raise TimeoutError("1 of 2 processes did not connect: 1. Check their logs")

  monkeypatch.setattr(distributed, "initialize", initialize)
  with pytest.raises(SystemExit) as status:
    launch(f"--workdir={tmp_path}", "--num_processes=2")
  assert status.value.code == distributed.RESTART_STATUS
  assert capsys.readouterr().err.startswith("error: 1 of 2 processes did not")


def test_launch_refuses_too_few_devices_before_any_work(tmp_path, refused):

  def prepare(config):
    raise AssertionError("worked before the check")

  error = refused(
    f"--workdir={tmp_path}", "--expect_devices=256", prepare=prepare
  )
  assert "expected 256 devices, but found 8: 1 process(es) with 8" in error


def test_launch_refuses_rehearse_for_a_section_without_an_estimate(
  tmp_path, refused
):
  error = refused("--rehearse=v5e:2x2", f"--workdir={tmp_path}")
  assert "toy has no cost estimate: leave out --rehearse=v5e:2x2" in error


def test_launch_rehearse_estimates_and_does_not_train(
  tmp_path, monkeypatch, capsys
):
  asked = []

  def estimate(config, *, topology, lower):
    asked.append((config.seeds, topology, lower(config, results.ERM, None)))
    return "costs"

  def result(config, costs, recorder):
    return {"rows": [{**ROW, "method": costs}]}

  monkeypatch.setattr(cli.topology, "hide_tpu", lambda: asked.append("no"))
  monkeypatch.setattr(cli.estimate, "estimate", estimate)
  monkeypatch.setattr(cli.rows, "result", result)
  monkeypatch.setattr(
    sys,
    "argv",
    [
      "toy",
      "--rehearse=v5e:16x16",
      f"--workdir={tmp_path}",
      "--config.seeds=3",
    ],
  )
  cli.launch(
    "toy",
    prepare=None,
    run=None,
    config_file=CONFIG,
    lower=lambda config, method, mesh: method,
  )
  assert asked == ["no", (3, "v5e:16x16", results.ERM)]
  assert "costs" in capsys.readouterr().out
  assert (tmp_path / "result.json").exists()


def test_launch_help_lists_the_flags(launch, capsys):
  with pytest.raises(SystemExit) as status:
    launch("--help")
  assert status.value.code == 0
  out = capsys.readouterr().out
  assert "--workdir" in out and "--config" in out
