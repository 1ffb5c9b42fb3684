"""Tests of reading archives within bounds."""

import errno
import io
import lzma
import pathlib
import resource
import tarfile
import zipfile

import pytest

from mixup_jax.data.sources import archives

FILES = {"set/a.txt": b"one", "set/b/c.txt": b"two" * 99}


def write(path, files=FILES, mode=None):
  """Writes an archive of the kind that its name has."""
  if path.suffix == ".zip":
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
      for name, data in files.items():
        archive.writestr(name, data)
    return path
  kind = {".gz": "gz", ".tgz": "gz", ".xz": "xz", ".bz2": "bz2"}
  mode = f"w:{kind.get(path.suffix, '')}"
  with tarfile.open(path, mode) as archive:
    for name, data in files.items():
      member = tarfile.TarInfo(name)
      member.size = len(data)
      archive.addfile(member, io.BytesIO(data))
  return path


every_kind = pytest.mark.parametrize("ending", archives.ENDINGS)


@every_kind
def test_read_and_unpack_take_every_kind(tmp_path, ending):
  path = write(tmp_path / f"a{ending}")
  found = {
    member.name: (member.read(), member.size)
    for member in archives.read(path, most_bytes=10**6)
  }
  assert found == {name: (data, len(data)) for name, data in FILES.items()}
  (tmp_path / "there").mkdir()
  archives.unpack(path, tmp_path / "there", most_bytes=10**6)
  for name, data in FILES.items():
    assert (tmp_path / "there" / name).read_bytes() == data


@every_kind
@pytest.mark.parametrize("cut", (0, 20, -60))
def test_read_names_an_archive_that_is_cut_off(tmp_path, ending, cut):
  path = write(tmp_path / f"a{ending}")
  path.write_bytes(path.read_bytes()[:cut])
  if ending == ".tar" and cut == -60:
    return  # Of the zeros at its end.
  with pytest.raises(ValueError, match=f"a{ending} cannot be .* fetch it agai"):
    for member in archives.read(path, most_bytes=10**6):
      member.read()


@every_kind
def test_read_stops_at_its_bound(tmp_path, ending):
  path = write(tmp_path / f"a{ending}", {"a": bytes(10**6), "b": b"b"})
  before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
  with pytest.raises(ValueError, match="more than 9000 bytes, which is more"):
    for member in archives.read(path, most_bytes=9000):
      member.read()
  assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_read_does_not_believe_the_length_of_a_header(tmp_path):
  """A pax header of a gigabyte, which tarfile would read whole."""
  header = tarfile.TarInfo("x")
  header.type, header.size = tarfile.XHDTYPE, 2**30
  path = tmp_path / "a.tar"
  path.write_bytes(header.tobuf() + bytes(10**5))
  with pytest.raises(ValueError, match="unpacks to more than 9000 bytes"):
    list(archives.read(path, most_bytes=9000))


def test_unpack_xz_stops_at_its_bound(tmp_path):
  path = tmp_path / "a.bin.xz"
  path.write_bytes(lzma.compress(bytes(10**6)))
  assert archives.unpack_xz(path, most_bytes=10**6) == bytes(10**6)
  with pytest.raises(ValueError, match="a.bin.xz unpacks to more than 999999"):
    archives.unpack_xz(path, most_bytes=10**6 - 1)
  for size in (-1, 10**9):
    file = io.BytesIO(bytes(99))
    with pytest.raises(ValueError):
      archives._Bounded(path, file, 9).read(size)
    assert file.tell() == 10


@pytest.mark.parametrize("name", ("../secret", "/secret", "a/../../secret"))
@pytest.mark.parametrize("ending", (".tar", ".zip"))
def test_unpack_writes_nothing_elsewhere(tmp_path, name, ending):
  path = write(tmp_path / f"a{ending}", {name: b"x"})
  directory = tmp_path / "x" / "there"
  directory.mkdir(parents=True)
  try:
    archives.unpack(path, directory, most_bytes=10**6)
  except ValueError as error:
    assert "cannot be unpacked" in str(error)
  elsewhere = [
    p for p in tmp_path.rglob("secret") if directory not in p.parents
  ]
  assert not elsewhere and not pathlib.Path("/secret").exists()


def test_unpack_names_a_full_disk_before_and_while_it_unpacks(
  tmp_path, monkeypatch
):
  path = write(tmp_path / "a.tar")
  message = "has no space left .*: free some, or name a larger disk with TMPDIR"

  def full(*_, **__):
    raise OSError(errno.ENOSPC, "No space left on device")

  monkeypatch.setattr(tarfile.TarFile, "extract", full)
  with pytest.raises(OSError, match=message):
    archives.unpack(path, tmp_path, most_bytes=10**6)
  monkeypatch.setattr(archives, "read", None)  # It is not even opened.
  usage = archives.shutil.disk_usage(tmp_path)
  monkeypatch.setattr(
    archives.shutil, "disk_usage", lambda _: usage._replace(free=9)
  )
  with pytest.raises(OSError, match=message):
    archives.unpack(path, tmp_path, most_bytes=10**6)


def test_read_names_a_file_that_cannot_be_read(tmp_path):
  with pytest.raises(OSError, match="cannot be unpacked: .*Is a directory"):
    list(archives.read(tmp_path, most_bytes=9))


def test_read_names_a_zip_with_a_password(tmp_path):
  path = write(tmp_path / "a.zip")
  data = bytearray(path.read_bytes())
  at = data.index(b"PK\1\2") + 8
  data[at] |= 1
  path.write_bytes(data)
  with pytest.raises(ValueError, match="a.zip cannot be unpacked"):
    [member.read() for member in archives.read(path, most_bytes=10**6)]


def test_find_passes_over_what_is_hidden(tmp_path):
  for name in ("a.ZIP", "._a.zip", ".x/b.zip", "c/__MACOSX/d.tar", "c/e.tgz"):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
  a, e = tmp_path / "a.ZIP", tmp_path / "c" / "e.tgz"
  assert archives.find(tmp_path) == [a]
  assert archives.find(tmp_path, "**/*") == [a, e]
  assert archives.find(e) == [e]
