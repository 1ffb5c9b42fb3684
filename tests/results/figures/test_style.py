"""Proves that figures are files, the same bytes for the same figure."""

from mixup_jax.results.figures import _style


def test_a_figure_is_written_alike_each_time(tmp_path):
  for name in ("a.png", "b.png"):
    figure, axes = _style.plt.subplots(figsize=(2, 2))
    axes.plot([0, 1], [1, 0])
    _style.tidy(axes)
    _style.title(axes, "title")
    _style.save(figure, tmp_path / name)
  assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
  assert not _style.plt.get_fignums()  # Closed, and its memory given back.
