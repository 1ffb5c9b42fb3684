"""Tests of meshes of TPU slices."""

import sys

import pytest

from mixup_jax.cost_model import chips
from mixup_jax.cost_model import topology


def test_parse_reads_kind_shape_and_slices():
  v5e = chips.CHIPS["v5e"]
  assert topology.parse("v5e:16x8") == chips.Pod(v5e, (16, 8), 1)
  assert topology.parse("2xv5e:16x16") == chips.Pod(v5e, (16, 16), 2)
  assert topology.parse("tpu7x:2x2x1").size == 8  # Two devices a chip.


@pytest.mark.parametrize(
  "name",
  "v5e v9:2x2 16x16 v5e:banana 0xv5e:2x2 2v5e:2x2 v5e:2x2x v5e:".split() + [""],
)
def test_parse_refuses_unknown_topologies(name):
  with pytest.raises(
    ValueError, match=f"unknown topology '{name}': give a kind of v4, v5e"
  ):
    topology.parse(name)


def test_parse_refuses_slices_without_a_published_rate_between_them():
  assert topology.parse("v4:2x2x2").slices == 1
  with pytest.raises(ValueError, match="estimate one slice, v4:2x2x2"):
    topology.parse("2xv4:2x2x2")


def test_make_mesh_names_the_extra_if_there_is_no_compiler(monkeypatch):
  monkeypatch.setitem(sys.modules, "libtpu", None)
  with pytest.raises(ValueError, match=r"pip install -e '.\[rehearse\]'"):
    topology.make_mesh("v5e:2x2")


@pytest.mark.slow
@pytest.mark.parametrize("kind", chips.CHIPS)
def test_make_mesh_has_the_devices_of_each_kind_of_chip(kind):
  pytest.importorskip("libtpu")
  topology.hide_tpu()
  shape = "2x2" if kind in ("v5e", "v6e") else "2x2x1"
  mesh, pod = topology.make_mesh(f"{kind}:{shape}")
  assert mesh.size == pod.size
