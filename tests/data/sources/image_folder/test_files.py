"""Tests of finding the images of a folder."""

import pathlib
import tarfile
import zipfile

import numpy as np
import PIL.Image
import pytest

from mixup_jax.data.sources.image_folder import files


def _touch(*paths):
  for path in paths:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")


@pytest.fixture
def folder(tmp_path):
  """Returns a folder as that of ImageNet, with some other files in it."""
  root = tmp_path / "raw" / "set"
  _touch(
    root / "train" / "n2" / "b.JPEG",
    root / "train" / "n2" / "a.jpg",
    root / "train" / "n1" / "c.PNG",
    root / "train" / "n1" / "c.txt",
    root / "train" / "list.txt",
    root / "val" / "n2" / "d.jpeg",
  )
  return root


@pytest.fixture
def tiny(tmp_path):
  """Returns a folder as that of Tiny ImageNet."""
  root = tmp_path / "tiny" / "tiny-imagenet-200"
  _touch(
    root / "train" / "n2" / "images" / "n2_0.JPEG",
    root / "train" / "n1" / "images" / "n1_0.JPEG",
    root / "train" / "n1" / "n1_boxes.txt",
    root / "val" / "images" / "val_0.JPEG",
    root / "val" / "images" / "val_1.JPEG",
  )
  (root / "val" / "val_annotations.txt").write_text(
    "val_1.JPEG\tn1\t0\t32\t44\t62\nval_0.JPEG\tn2\t1\t2\t3\t4\n"
  )
  return root


def _names(images):
  return [(path.name, label) for path, label in images]


def test_read_takes_folders_as_classes(folder):
  found = files.read(folder)
  assert found.classes == ["n1", "n2"]
  assert _names(found.train) == [("c.PNG", 0), ("a.jpg", 1), ("b.JPEG", 1)]
  assert _names(found.validation) == [("d.jpeg", 1)]


def test_read_takes_classes_from_the_annotations_of_tiny_imagenet(tiny):
  found = files.read(tiny)
  assert found.classes == ["n1", "n2"]
  assert _names(found.train) == [("n1_0.JPEG", 0), ("n2_0.JPEG", 1)]
  assert _names(found.validation) == [("val_1.JPEG", 0), ("val_0.JPEG", 1)]
  assert all(path.exists() for path, _ in found.validation)


def test_read_refuses_a_class_that_is_only_validated(folder, tiny):
  _touch(folder / "val" / "n3" / "e.jpg")
  with pytest.raises(ValueError, match="n3 is of a class that train has not"):
    files.read(folder)
  annotations = tiny / "val" / "val_annotations.txt"
  annotations.write_text("val_1.JPEG\tn1\t0\nval_0.JPEG")
  with pytest.raises(ValueError, match="line 2: the class '' is not in train"):
    files.read(tiny)


@pytest.mark.parametrize("missing", ("train/n1/c.PNG", "val/n2/d.jpeg"))
def test_read_refuses_a_part_without_images(folder, missing):
  if missing.startswith("train"):
    for path in (folder / "train" / "n2").iterdir():
      path.unlink()
  (folder / missing).unlink()
  with pytest.raises(FileNotFoundError, match="there is no file .*JPEG"):
    files.read(folder)


def test_read_refuses_a_missing_val(folder):
  (folder / "val" / "n2" / "d.jpeg").unlink()
  (folder / "val" / "n2").rmdir()
  (folder / "val").rmdir()
  with pytest.raises(FileNotFoundError, match="there is no folder .*val"):
    files.read(folder)


def test_opened_finds_the_folder_there_or_one_below(folder):
  for directory in folder, folder.parent:
    with files.opened(directory) as found:
      assert found == folder


@pytest.mark.parametrize(
  "suffix,mode", (("tar", "w"), ("tar.gz", "w:gz"), ("tar.xz", "w:xz"))
)
def test_opened_unpacks_an_archive_for_a_while(tiny, tmp_path, suffix, mode):
  path = tmp_path / "packed" / f"tiny.{suffix}"
  path.parent.mkdir()
  with tarfile.open(path, mode) as archive:
    archive.add(tiny, tiny.name)
  with files.opened(path.parent) as found:
    assert _names(files.read(found).train) == _names(files.read(tiny).train)
  assert not found.exists()


def test_opened_reports_a_damaged_archive_in_one_line(tmp_path):
  (tmp_path / "tiny.tar.gz").write_bytes(b"no archive")
  with pytest.raises(ValueError, match="tiny.tar.gz cannot be unpacked") as e:
    with files.opened(tmp_path):
      pass
  assert "fetch it again" in str(e.value) and "\n" not in str(e.value)


def test_opened_refuses_a_directory_of_other_files(tmp_path):
  _touch(tmp_path / "cifar-10" / "data_batch_1.bin.xz")
  with pytest.raises(FileNotFoundError, match="there is no file train") as e:
    with files.opened(pathlib.Path(tmp_path)):
      pass
  assert str(tmp_path) in str(e.value) and "--raw" in str(e.value)


def test_opened_takes_the_zip_of_tiny_imagenet_itself(tiny, tmp_path):
  path = tmp_path / "packed" / "tiny-imagenet-200.zip"
  path.parent.mkdir()
  with zipfile.ZipFile(path, "w") as archive:
    for file in sorted(tiny.rglob("*.*")):
      archive.write(file, file.relative_to(tiny.parent))
    archive.writestr("__MACOSX/train/._n1", b"")
  for raw in path, path.parent:
    with files.opened(raw) as found:
      assert _names(files.read(found).train) == _names(files.read(tiny).train)


@pytest.mark.parametrize(
  "name", ("../../secret", "/etc/hostname", "..", "", "a/b.JPEG", "none.JPEG")
)
def test_read_takes_no_file_from_elsewhere_by_an_annotation(tiny, name):
  _touch(tiny / "secret", tiny / "val" / "images" / "a" / "b.JPEG")
  (tiny / "val" / "val_annotations.txt").write_text(f"{name}\tn1\n")
  with pytest.raises(ValueError, match="line 1: '.*' is no file in .*images"):
    files.read(tiny)


def test_read_passes_over_hidden_files_and_folders(folder):
  expected = files.read(folder)
  _touch(
    folder / "train" / ".ipynb_checkpoints" / "a.JPEG",
    folder / "train" / "n1" / "._c.PNG",
    folder / "val" / ".ipynb_checkpoints" / "d.jpeg",
    folder.parent / ".old" / "train" / "x.jpg",
  )
  assert files.read(folder) == expected


def test_read_names_what_it_passes_over_and_what_loses_something(folder):
  clip = folder / "train" / "n1" / "c.PNG"
  PIL.Image.fromarray(np.zeros((4, 4), np.uint16)).save(clip)
  clear = folder / "val" / "n2" / "e.png"
  PIL.Image.new("RGBA", (4, 4)).save(clear)
  passed, deep, transparent = files.read(folder).remarks
  text = folder / "train" / "n1" / "c.txt"
  assert passed == (
    "1 files are passed over, whose names do not end in .jpeg, .jpg, .png, "
    f"such as {text}"
  )
  assert deep.startswith("1 images have 16 bits") and str(clip) in deep
  assert transparent.startswith("1 images have transparency")
  assert str(clear) in transparent
  for path in text, clip, clear:
    path.unlink()
  _touch(folder / "train" / "n1" / "c.jpg")
  assert not files.read(folder).remarks


def test_read_refuses_a_class_without_images(folder):
  _touch(folder / "train" / "n0" / "a.webp")
  with pytest.raises(ValueError, match="n0 holds no file named .*: take it aw"):
    files.read(folder)
