"""Tests of saving figures: the same bytes for the same figure."""

from mixup_jax.results.figures import _style


def test_save_writes_the_same_bytes_each_time(tmp_path):
  for name in ("a.png", "b.png"):
    figure, axes = _style.plt.subplots(figsize=(2, 2))
    axes.plot([0, 1], [1, 0])
    _style.tidy(axes)
    _style.title(axes, "title")
    _style.save(figure, tmp_path / name)
  assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
  assert not _style.plt.get_fignums()  # Closed, and its memory given back.


def test_colors_are_those_of_the_paper_and_a_cycle():
  keys = ["cutmix", "mixup", *(f"other_{i}" for i in range(7)), "erm", "cutmix"]
  colors = _style.colors({"key": key} for key in keys)
  assert (colors["erm"], colors["mixup"]) == ("tab:blue", "tab:orange")
  assert list(colors) == list(dict.fromkeys(keys))
  others = [colors[key] for key in keys[:1] + keys[2:6]]
  assert len(set(others)) == 5 and not set(others) & set(_style.COLORS.values())
