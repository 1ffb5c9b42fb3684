"""Tests of mixing codes, with one run from end to end."""

import functools
import json
import sys

import chex
import jax
import jax.numpy as jnp
import matplotlib.image
import numpy as np
import pytest
import scipy.stats

from configs import vae_mixing as configs
from experiments import vae_mixing
from experiments.report import tables
from mixup_jax import results
from mixup_jax import transforms
from mixup_jax.models import vae
from mixup_jax.runtime import cli

ENCODER = vae.VAE(shape=(3,), latent=2, hidden=(4,))


def test_run_in_groups_of_seeds_resumes_after_the_last(
  tmp_path, monkeypatch, capsys
):
  """Two groups; then the same command does only the second again."""
  monkeypatch.setattr(
    sys,
    "argv",
    [
      "vae_mixing",
      f"--config={vae_mixing.CONFIG}:smoke,method=mixup+codes",
      f"--workdir={tmp_path}",
      "--config.seeds_at_once=1",
      "--config.epochs=2",
      "--config.vae_epochs=3",
      "--config.model.hidden=(16,)",
      "--config.vae.hidden=(16,)",
    ],
  )
  launch = functools.partial(
    cli.launch,
    "vae_mixing",
    prepare=vae_mixing.prepare,
    run=vae_mixing.run,
    config_file=vae_mixing.CONFIG,
  )
  launch()
  result = json.loads((tmp_path / "result.json").read_text())
  rows = {(row["method"], row["metric"]): row for row in result["rows"]}
  assert len(rows) == len(result["rows"]) == 2 + 2 + 2
  error = {
    key: rows[key, vae_mixing.ERROR]["value"]
    for key in ("input mixup", "VAE codes, mixed")
  }
  difference = rows["VAE codes, mixed", vae_mixing.DIFFERENCE]
  assert difference["n"] == 2 and difference["key"] == "codes"
  assert difference["overlap"] == round(899 / 898, 6)  # Of 1,797 digits.
  assert (
    abs(
      difference["value"] - (error["VAE codes, mixed"] - error["input mixup"])
    )
    < 1e-3
  )
  assert 0 < rows["VAE codes, mixed", results.P_VALUE]["value"] <= 1
  assert rows["the VAE", vae_mixing.ELBO]["epochs"] == 3
  assert len(result["mixed_inputs"]["rows"]) == 3
  assert matplotlib.image.imread(tmp_path / "result.png").std() > 0.01
  out = capsys.readouterr().out  # Where headers may be wrapped.
  assert set(vae_mixing.DIFFERENCE.split()) <= set(out.split())
  text = tables.table(result)
  assert (
    f"| digits | {vae_mixing.ERROR} |" in text
    and "| VAE codes, mixed |" in text
  )
  lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
  # Of each of two groups, the autoencoder and two methods.
  assert len(lines) == 2 * (3 + 2 * 2)
  assert "digits/0/vae/loss" in json.loads(lines[0])
  first, second = (
    tmp_path / "digits" / f"seeds_{i}_to_{i}.json" for i in (0, 1)
  )
  assert json.loads(first.read_text())["mixed_inputs"]
  assert json.loads(second.read_text())["mixed_inputs"] is None
  second.unlink()
  written = first.stat().st_mtime_ns
  launch()
  again = json.loads((tmp_path / "result.json").read_text())
  assert again["rows"] == result["rows"]
  assert again["mixed_inputs"] == result["mixed_inputs"]
  assert second.exists() and first.stat().st_mtime_ns == written


def test_setting_names_what_is_narrow():
  config = configs.get_config("dataset=cifar10,smoke")
  name = vae_mixing.setting(config, "cifar10")
  assert "width 16" in name and name.endswith(", 500 training images)")
  assert vae_mixing.setting(configs.get_config(), "digits") == "digits"


@pytest.mark.parametrize("count, words", [(9, "9"), (0, "all")])
def test_setting_names_the_images_of_the_vae_if_they_are_others(count, words):
  config = configs.get_config()
  config.num_train, config.vae_num_train = 5, count
  expected = f"digits (5 training images, {words} images of the VAE)"
  assert vae_mixing.setting(config, "digits") == expected


@pytest.mark.parametrize(
  "changes, error, message",
  [
    ({"alpha": -1.0}, ValueError, "alpha must be .* got -1"),
    ({"seeds": 0}, ValueError, "config.seeds must be at least 1, got 0"),
    ({"vae_epochs": 0}, ValueError, "config.vae_epochs must be at least 1"),
    ({"batch_size": 1}, ValueError, "config.batch_size must be at least 2"),
    ({"methods": ("code",)}, ValueError, "unknown method 'code'"),
    ({"datasets": ("irsi",)}, ValueError, "Did you mean 'iris'"),
    ({"steps_per_dispatch": -1}, ValueError, "must be at least 0, got -1"),
    ({"datasets": ()}, ValueError, "config.datasets is empty"),
    ({"layers": ()}, ValueError, "config.layers is empty"),
    ({"layers": (0, 5)}, ValueError, "no depth 5 to mix at"),
  ],
)
def test_prepare_refuses_bad_configs_before_any_work(changes, error, message):
  config = configs.get_config("smoke")
  with config.ignore_type():
    config.update(changes)
  with pytest.raises(error, match=message):
    vae_mixing.prepare(config)


def test_prepare_refuses_to_halve_tables():
  config = configs.get_config("smoke")
  config.vae.channels = (4,)
  with pytest.raises(ValueError, match=r"shape \(64,\) do not allow"):
    vae_mixing.prepare(config)


@pytest.fixture(scope="module")
def params():
  keys = jax.random.split(jax.random.key(0))
  return jax.jit(ENCODER.init)(keys[0], jnp.zeros((1, 3)), keys[1])["params"]


def transform(key, params):
  config = configs.get_config()
  return vae_mixing.transform(config, vae_mixing.METHODS[key], ENCODER, params)


@jax.jit
def transformed(params, key, inputs, labels):
  """Returns what each method makes of the same key."""
  return {
    name: transform(name, params)(key, inputs, labels)
    for name in ("mixup", "codes", "reconstructions", "unmixed")
  }


@jax.jit
def by_hand(params, inputs, plan):
  """Returns reconstructions, these mixed, and what mixed codes decode to."""

  def call(x, name):
    return ENCODER.apply({"params": params}, x, method=name)

  codes, decoded = call(inputs, "encode")[0], call(inputs, "reconstruct")
  mixed = transforms.mix_pairs((codes, decoded), plan)
  return decoded, mixed[1], call(mixed[0], "decode")


def test_transform_mixes_the_same_pairs_each_in_its_codes(getkey, params):
  inputs, labels = jax.random.normal(getkey(), (6, 3)), jnp.arange(6)
  key = getkey()
  with jax.debug_key_reuse(False):
    found = transformed(params, key, inputs, labels)
    expected = jax.jit(transforms.mixup)(key, inputs, labels, alpha=1.0)
  chex.assert_trees_all_equal(found["mixup"], expected)
  for name in ("codes", "reconstructions"):
    chex.assert_trees_all_equal(found[name][1], expected[1])
  plan = transforms.Mix(expected[1].lam, expected[1].partner_labels)
  decoded, reconstructions, codes = by_hand(params, inputs, plan)
  close = functools.partial(chex.assert_trees_all_close, atol=1e-6)
  close(found["unmixed"][0], decoded)
  assert (found["unmixed"][1].lam == 1).all()
  close(found["reconstructions"][0], reconstructions)
  close(found["codes"][0], codes)


def test_transform_of_erm_is_none_and_manifold_mixup_is_inside(getkey, params):
  assert transform("erm", params) is None
  mixed, _ = transform("manifold", params)(
    getkey(), jnp.zeros((4, 3)), jnp.arange(4)
  )
  assert isinstance(mixed, transforms.HiddenMix)
  assert mixed.layers == configs.get_config().layers


def test_choose_returns_each_method_once():
  assert vae_mixing.choose(["all"]) == list(vae_mixing.METHODS.values())
  chosen = vae_mixing.choose(["codes", "erm", "codes"])
  assert [method.key for method in chosen] == ["codes", "erm"]
  with pytest.raises(
    ValueError, match="unknown method 'code': choose one of a"
  ):
    vae_mixing.choose(["code"])


ERRORS = {
  "erm": np.array([5.0, 6.0, 9.0]),
  "mixup": np.array([4.0, 3.0, 5.0]),
  "codes": np.array([4.0, 3.0, 5.0]),
}


def rows(errors, **options):
  measured = {key: {"error": values} for key, values in errors.items()}
  measured["vae"] = {
    "elbo": np.array([-3.0, -5.0]),
    "residual": np.ones(2),
    "power": np.full(2, 4),
  }
  made = vae_mixing.result_rows(
    configs.get_config(), "digits", measured, **options
  )
  return {(row["method"], row["metric"]): row for row in made}


def test_result_rows_are_means_paired_differences_and_their_test():
  found = rows(ERRORS)
  assert found["input mixup", vae_mixing.ERROR]["value"] == 4
  difference = found["ERM", vae_mixing.DIFFERENCE]
  assert abs(difference["value"] - 8 / 3) < 1e-4 and difference["n"] == 3
  p = found["ERM", results.P_VALUE]
  expected = scipy.stats.ttest_rel(ERRORS["erm"], ERRORS["mixup"]).pvalue
  assert abs(p["value"] - expected) < 1e-3 * expected and p["n"] == 3
  assert results.mean_and_error(p) == f"{expected:.3f}"
  assert found["VAE codes, mixed", results.P_VALUE]["value"] == 1
  assert ("input mixup", vae_mixing.DIFFERENCE) not in found
  assert found["the VAE", vae_mixing.ELBO]["value"] == -4
  assert found["the VAE", vae_mixing.RESIDUAL]["value"] == 25


def test_result_rows_are_corrected_for_overlapping_splits():
  plain, found = rows(ERRORS), rows(ERRORS, overlap=1.0)
  for name in (("ERM", vae_mixing.ERROR), ("ERM", vae_mixing.DIFFERENCE)):
    ratio = results.standard_error(found[name]) / results.standard_error(
      plain[name]
    )
    assert abs(ratio - 4**0.5) < 1e-9  # 1 / 3 + 1 over 1 / 3.
  p = ("ERM", results.P_VALUE)
  assert found[p]["value"] > plain[p]["value"]


def test_result_rows_leave_out_what_cannot_be_compared():
  alone = rows({name: error[:1] for name, error in ERRORS.items()})
  assert ("ERM", vae_mixing.DIFFERENCE) in alone
  assert ("ERM", results.P_VALUE) not in alone
  without = rows({"erm": ERRORS["erm"]})
  assert ("ERM", vae_mixing.ERROR) in without
  assert ("ERM", vae_mixing.DIFFERENCE) not in without
