"""Tests of decoding and cropping images."""

import io
import struct
import subprocess
import sys

import cv2
import numpy as np
import PIL.Image
import pytest

from mixup_jax.data.streaming import decode


def _smooth(height=48, width=64):
  """Returns an image of different pixels that is easy to compress."""
  y, x = np.mgrid[:height, :width]
  channels = 255 * y / height, 255 * x / width, 255 - 255 * y / height
  return np.stack(channels, -1).astype(np.uint8)


def _encode(image, kind="JPEG", mode="RGB", **options):
  buffer = io.BytesIO()
  options |= {"quality": 95} if kind == "JPEG" else {}
  PIL.Image.fromarray(image).convert(mode).save(buffer, kind, **options)
  return buffer.getvalue()


def _draws(area=0.5, aspect=0.5, top=0.5, left=0.5, flip=0.9):
  return np.array([area] * 10 + [aspect] * 10 + [top, left, 0.0, flip])


def _square(size):
  return np.full((size, size, 3), 99, np.uint8)


def test_decode_returns_rgb():
  image = _smooth()
  error = np.abs(decode.decode(_encode(image)).astype(int) - image)
  assert error.mean() < 2
  np.testing.assert_array_equal(decode.decode(_encode(image, "PNG")), image)


@pytest.mark.parametrize("mode", ("L", "CMYK"))
def test_decode_converts_grey_and_cmyk_to_rgb(mode):
  data = _encode(_smooth(), mode=mode)
  expected = np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB"))
  found = decode.decode(data)
  assert found.shape == (48, 64, 3)
  assert np.abs(found.astype(int) - expected).mean() < 3


def test_decode_ignores_the_exif_orientation():
  exif = PIL.Image.Exif()
  exif[0x0112] = 6
  assert decode.decode(_encode(_smooth(), exif=exif)).shape == (48, 64, 3)


WHOLE = _encode(_smooth())


@pytest.mark.parametrize(
  "data",
  (
    b"",
    b"no image",
    WHOLE[:100],
    WHOLE[:-200],
    WHOLE[:-2],
    _encode(_smooth(), progressive=True)[:-200],
    _encode(_smooth(), "PNG")[:-200],
  ),
  ids=("empty", "text", "head", "cut", "no_end", "progressive", "png"),
)
def test_decode_refuses_truncated_images(data):
  with pytest.raises(ValueError, match="truncated|not an image"):
    decode.decode(data)


@pytest.mark.parametrize("thumbnail", (b"", b"\xff\xda..\xff\xd9"))
def test_decode_refuses_a_truncated_copy_filled_with_zeros(thumbnail):
  comment = b"\xff\xfe\x00" + bytes([len(thumbnail) + 2]) + thumbnail
  broken = WHOLE[:2] + comment + WHOLE[2:-200] + bytes(9000)
  assert cv2.imdecode(np.frombuffer(broken, np.uint8), 1) is not None
  with pytest.raises(ValueError, match="the JPEG is truncated"):
    decode.decode(broken)


def test_decode_ignores_bytes_after_the_end():
  np.testing.assert_array_equal(
    decode.decode(WHOLE + b"\n\0junk"), decode.decode(WHOLE)
  )


def test_random_box_lies_inside_with_the_areas_and_aspects():
  numbers = np.random.default_rng(0).random((2000, decode.DRAWS))
  boxes = np.array([decode.random_box(row, 375, 500) for row in numbers])
  top, left, height, width = boxes.T
  assert (boxes >= 0).all()
  assert (top + height <= 375).all() and (left + width <= 500).all()
  area = height * width / (375 * 500)
  assert 0.075 < area.min() < 0.1 and area.max() > 0.9
  # Large boxes rarely fit; those of less than half the area nearly always do.
  small = area[area < 0.5]
  assert abs(small.mean() - 0.29) < 0.01
  aspect = np.log(width / height)
  assert np.abs(aspect).max() < np.log(4 / 3) + 0.03
  assert abs(aspect[area < 0.3].mean()) < 0.02
  for start, room in (top, 375 - height), (left, 500 - width):
    share = start[room > 50] / room[room > 50]
    assert abs(share.mean() - 0.5) < 0.03 and share.min() < 0.02
    assert share.max() > 0.98


def test_random_box_is_the_central_square_if_none_fits():
  assert decode.random_box(_draws(), 10, 100) == (0, 45, 10, 10)
  assert decode.random_box(_draws(), 101, 1) == (50, 0, 1, 1)
  misfit = _draws(area=1.0 - 1e-9, aspect=0.0)
  assert decode.random_box(misfit, 40, 60) == (0, 10, 40, 40)
  misfit[3], misfit[13] = 0.0, 0.5  # The fourth try fits.
  assert decode.random_box(misfit, 40, 60)[2:] == (14, 14)


def test_train_image_mirrors_half_of_the_crops():
  image = _smooth()
  plain = decode.train_image(image, _draws(flip=0.5), out=_square(24))
  mirrored = decode.train_image(image, _draws(flip=0.49), out=_square(24))
  np.testing.assert_array_equal(plain[:, ::-1], mirrored)
  assert plain.shape == (24, 24, 3) and plain.dtype == np.uint8
  assert plain[0, 0, 1] < plain[0, -1, 1]


@pytest.mark.parametrize("size", (1, 7, 24, 224))
@pytest.mark.parametrize("flip", (0.2, 0.8))
def test_train_and_eval_image_write_into_out_what_opencv_returns(size, flip):
  """A row of a batch is written in place, and mirrored in place."""
  image = np.random.default_rng(0).integers(0, 256, (61, 47, 3), np.uint8)
  batch = np.full((3, size, size, 3), 99, np.uint8)
  draws = _draws(flip=flip)
  top, left, height, width = decode.random_box(draws, 61, 47)
  how = cv2.INTER_AREA if max(height, width) > 2 * size else cv2.INTER_LINEAR
  expected = cv2.resize(
    image[top : top + height, left : left + width],
    (size, size),
    interpolation=how,
  )
  decode.train_image(image, draws, out=batch[1])
  np.testing.assert_array_equal(
    batch[1], expected[:, ::-1] if flip < 0.5 else expected
  )
  found = decode.eval_image(image, out=_square(size))
  decode.eval_image(image, out=batch[1])
  np.testing.assert_array_equal(batch[1], found)
  np.testing.assert_array_equal(batch[::2], np.full_like(batch[::2], 99))


def test_train_image_shows_its_box():
  image = _smooth(64, 64)
  draws = _draws(area=(0.25 - 0.08) / 0.92, top=0.999, left=0.0)
  np.testing.assert_array_equal(
    decode.train_image(image, draws, out=_square(32)), image[32:, :32]
  )


@pytest.mark.parametrize(
  "shape", ((375, 500), (500, 375), (64, 64), (900, 901))
)
def test_eval_image_equals_resizing_and_then_cropping(shape):
  image = _smooth(*shape)
  short = 256 / min(shape)
  whole = PIL.Image.fromarray(image).resize(
    (round(shape[1] * short), round(shape[0] * short)), PIL.Image.BOX
  )
  top, left = (whole.height - 224) // 2, (whole.width - 224) // 2
  expected = np.asarray(whole)[top : top + 224, left : left + 224]
  found = decode.eval_image(image, out=_square(224))
  assert found.shape == (224, 224, 3) and found.dtype == np.uint8
  assert np.abs(found.astype(int) - expected).max() <= 3


def test_eval_image_uses_every_pixel_of_a_large_image():
  """With one white pixel in a hundred, bilinear weights would miss most."""
  image = np.zeros((400, 400, 3), np.uint8)
  image[5::10, 5::10] = 255
  found = decode.eval_image(image, out=_square(35))
  np.testing.assert_array_equal(found, np.full((35, 35, 3), 3))  # 2.55


def test_train_and_eval_image_take_a_single_pixel():
  image = np.full((1, 1, 3), 7, np.uint8)
  for found in (
    decode.eval_image(image, out=_square(8)),
    decode.train_image(image, _draws(), out=_square(8)),
  ):
    np.testing.assert_array_equal(found, np.full((8, 8, 3), 7))


def _claim(kind, height, width):
  """Returns a small file whose header claims another size."""
  data = bytearray(_encode(_smooth(), kind))
  at = 16 if kind == "PNG" else data.index(b"\xff\xc0") + 5
  sizes = (width, height) if kind == "PNG" else (height, width)
  form = ">II" if kind == "PNG" else ">HH"
  data[at : at + struct.calcsize(form)] = struct.pack(form, *sizes)
  return bytes(data)


def test_decode_refuses_a_png_that_claims_to_be_too_large():
  with pytest.raises(ValueError, match="more than 134217728 pixels"):
    decode.decode(_claim("PNG", 2**13 + 1, 2**14))
  with pytest.raises(ValueError, match="are not an image, or are damaged"):
    decode.decode(_claim("PNG", 8, 8))  # The check sum of the header.


def test_decode_lets_opencv_refuse_too_large_images_of_all_formats():
  code = (
    "import sys; from mixup_jax.data.streaming import decode\n"
    "try: decode.decode(sys.stdin.buffer.read())\n"
    "except ValueError as error: print(error)"
  )
  done = subprocess.run(
    [sys.executable, "-c", code],
    input=_claim("JPEG", 2**15, 2**14),
    capture_output=True,
    check=True,
  )
  assert b"more than 134217728 pixels" in done.stdout
