"""A fixture that draws the figure of a result and reads it back."""

import matplotlib.image
import pytest

from mixup_jax.results import figures


@pytest.fixture
def drawn(tmp_path):

  def draw(result):
    path = tmp_path / "figure.png"
    path.unlink(missing_ok=True)
    assert figures.draw(result, path) == path.exists()
    return matplotlib.image.imread(path) if path.exists() else None

  return draw
