"""Tests of the config and the rows of the ablation (Table 5)."""

import pytest

from configs import ablation
from configs import cifar
from configs import mixing

OWN = (
  *("cutmix", "resizemix", "fmix", "regmixup"),
  *("manifold", "per_example", "ends_early", "mix"),
)


def test_get_config_has_the_settings_of_the_paper():
  config = ablation.get_config("dataset=cifar10")
  assert config.weight_decays == (1e-4, 5e-4) and config.k == 200
  assert config.rows == ("all",)
  section_32 = cifar.get_config("dataset=cifar10")
  assert config.model == section_32.model
  for name in (
    "epochs",
    "batch_size",
    "mix",
    "learning_rate",
    "decay_at",
    "decay_factor",
  ):
    assert config[name] == section_32[name]
  assert set(section_32.optimizer) - set(config.optimizer) == {"weight_decay"}


def test_rows_are_those_of_the_papers_table():
  papers = {name: row for name, row in ablation.ROWS.items() if row.paper}
  assert len(papers) == 22
  assert papers["erm"].paper == (5.53, 5.18)
  assert papers["mixup_ac_rp"].paper == (4.24, 4.68)
  assert papers["noise_0.2"].paper == (7.16, 7.24)
  assert round(sum(sum(row.paper) for row in papers.values()), 2) == 234.08
  labels = [row.label for row in ablation.ROWS.values()]
  assert len(set(labels)) == len(labels) == 30
  assert set(ablation.ROWS) - set(papers) == set(OWN)


@pytest.mark.parametrize("name", ablation.ROWS)
def test_rows_change_options_that_every_mix_has(name):
  row = ablation.ROWS[name]
  assert (row.mix is None) == (name == "erm")
  assert set(row.mix or {}) <= set(mixing.get_mix(1.0))
  assert row.neighbors in ("", "all classes", "same class")
  assert ("knn" in name) == bool(row.neighbors)


@pytest.mark.parametrize(
  "kind, numbers, name, option",
  [
    ("layer", (1, 2, 3, 4, 5), "manifold", "layers"),
    ("smoothing", (0.05, 0.1, 0.2), "label_smoothing", "epsilon"),
    (
      "inputs_smoothing",
      (0.05, 0.1, 0.2, 0.4),
      "inputs_with_smoothing",
      "epsilon",
    ),
    ("noise", (0.05, 0.1, 0.2), "gaussian_noise", "sigma"),
  ],
)
def test_rows_have_the_number_of_their_name(kind, numbers, name, option):
  for number in numbers:
    row = ablation.ROWS[f"{kind}_{number}"]
    value = (number,) if option == "layers" else number
    assert row.mix == {"name": name, option: value}
    assert row.label.endswith(str(number))


def test_rows_differ_in_what_their_names_state():
  rows = ablation.ROWS
  assert rows["inputs_ac_knn"].mix == rows["inputs_sc_knn"].mix
  assert rows["inputs_ac_knn"].mix == rows["inputs_ac_rp"].mix
  assert rows["mixup_ac_knn"].mix == rows["mixup_ac_rp"].mix
  early = [name for name, row in rows.items() if row.ends_early]
  assert early == ["ends_early"]
  assert not rows["mix"].mix and set(ablation.ALL_ROWS) == set(rows) - {"mix"}


def test_get_config_of_digits_has_a_network_of_all_layers():
  config = ablation.get_config()
  assert len(config.model.blocks) == 4 and config.k < 100
  smoke = ablation.get_config("smoke")
  assert smoke.epochs < config.epochs and len(smoke.weight_decays) == 1
  assert smoke.rows == ablation.SMOKE_ROWS
  assert set(smoke.rows) <= set(ablation.ROWS)


def test_get_config_rows_are_chosen_by_the_argument():
  assert ablation.get_config("rows=erm").rows == ("erm",)
  config = ablation.get_config("smoke,rows=erm+mixup_ac_rp")
  assert config.rows == ("erm", "mixup_ac_rp")


@pytest.mark.parametrize(
  "argument, message",
  [
    ("dataset=cifar100", "unknown set 'cifar100' for the ablation"),
    ("schedule=shrot", "unknown schedule 'shrot'"),
    ("row=erm", "did you mean 'rows'"),
  ],
)
def test_get_config_refuses_unknown_arguments(argument, message):
  with pytest.raises(ValueError, match=message):
    ablation.get_config(argument)
