"""Decodes images, and crops them for training and for evaluation.

OpenCV decodes twice as fast as PIL, and releases the GIL.
"""

import math
import os

# OpenCV compares the size in the header of any format with this before it
# decodes, and reads the limit when it is imported. 134 million pixels are 400
# MB; by default it decodes 3 GB of a PNG of 100 KB, in each thread.
MOST_PIXELS = 2**27
os.environ.setdefault("OPENCV_IO_MAX_IMAGE_PIXELS", str(MOST_PIXELS))

import cv2  # noqa: E402
import numpy as np  # noqa: E402

# Examples are decoded in parallel, not the rows of one.
cv2.setNumThreads(1)
# Grey and CMYK images become RGB. The EXIF orientation is ignored, as in other
# pipelines for ImageNet.
_FLAGS = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG, _END, _SCAN = b"\xff\xd8", b"\xff\xd9", b"\xff\xda"
_TOO_LARGE = (
  f"the image has more than {MOST_PIXELS} pixels, or than the "
  "OPENCV_IO_MAX_IMAGE_PIXELS of the environment: make it smaller"
)
_TRIES = 10
# Uniform numbers for `train_image`: area and aspect of each try, two for the
# position, one unused, for a multiple of four, and one for the flip.
DRAWS = 2 * _TRIES + 4


def decode(data: bytes) -> np.ndarray:
  """Decodes an image of any format that OpenCV reads.

  Args:
    data: The bytes of its file.

  Returns:
    `[height, width, 3]` uint8, RGB.

  Raises:
    ValueError: If the bytes are not an image, or a truncated one, or one of
      more than `MOST_PIXELS`, by default.
  """
  # Also where OpenCV was imported before its limit was set: only a PNG packs so
  # much into so little.
  if data.startswith(_PNG):
    width, height = (int.from_bytes(data[i : i + 4]) for i in (16, 20))
    if width * height > MOST_PIXELS:
      raise ValueError(_TOO_LARGE)
  # OpenCV refuses truncated files unless enough zeros follow, as in interrupted
  # copies. Thumbnails have an end marker too, but before the last scan.
  if (
    data.startswith(_JPEG)
    and not data.endswith(_END)
    and data.rfind(_END) < data.rfind(_SCAN)
  ):
    raise ValueError("the JPEG is truncated")
  try:
    image = cv2.imdecode(np.frombuffer(data, np.uint8), _FLAGS)
  except cv2.error as error:
    if "MAX_IMAGE_PIXELS" in str(error):
      raise ValueError(_TOO_LARGE) from error
    image = None
  if image is None:
    raise ValueError(f"the {len(data)} bytes are not an image, or are damaged")
  return image


def train_image(
  image: np.ndarray, draws: np.ndarray, *, out: np.ndarray
) -> np.ndarray:
  """Takes a crop of random area and aspect, mirrored with probability 1/2.

  Args:
    image: `[height, width, 3]` uint8.
    draws: `[DRAWS]` uniform numbers in [0, 1).
    out: `[size, size, 3]` uint8, contiguous, where to write the crop.

  Returns:
    `out`.

  References:
    Goyal et al. 2017 ("Accurate, Large Minibatch SGD"), section 5.1, after
    Szegedy et al. 2015 ("Going Deeper with Convolutions"), section 6.
  """
  _resize(image, random_box(draws, *image.shape[:2]), out)
  return cv2.flip(out, 1, out) if draws[-1] < 0.5 else out


def eval_image(image: np.ndarray, *, out: np.ndarray) -> np.ndarray:
  """Takes the central square of 224/256 of the short side.

  It crops before it resizes, which gives the same view for less work.

  Args:
    image: `[height, width, 3]` uint8.
    out: As in `train_image`.

  Returns:
    `out`.
  """
  side = max(1, round(min(image.shape[:2]) * 224 / 256))
  top, left = ((length - side) // 2 for length in image.shape[:2])
  return _resize(image, (top, left, side, side), out)


def random_box(
  draws: np.ndarray, height: int, width: int
) -> tuple[int, int, int, int]:
  """Draws a box with 8 to 100 % of the area, and an aspect of 3/4 to 4/3.

  Aspects are uniform in the logarithm: tall and wide boxes are equally likely.
  After ten tries that do not fit, it is the largest central square.

  Args:
    draws: `[DRAWS]` uniform numbers in [0, 1).
    height: Image height in pixels.
    width: Image width in pixels.

  Returns:
    Top, left, height and width of the box.
  """
  numbers = draws.tolist()
  for area, aspect in zip(numbers[:_TRIES], numbers[_TRIES : 2 * _TRIES]):
    root = math.sqrt((0.08 + 0.92 * area) * height * width)
    stretch = (3 / 4) ** (aspect - 0.5)  # The square root of the aspect.
    box_height, box_width = round(root * stretch), round(root / stretch)
    if 0 < box_height <= height and 0 < box_width <= width:
      top, left = numbers[2 * _TRIES : 2 * _TRIES + 2]
      return (
        int(top * (height - box_height + 1)),
        int(left * (width - box_width + 1)),
        box_height,
        box_width,
      )
  side = min(height, width)
  return (height - side) // 2, (width - side) // 2, side, side


def _resize(
  image: np.ndarray, box: tuple[int, int, int, int], out: np.ndarray
) -> np.ndarray:
  """Resizes a box of an image to the square `out`, and returns that."""
  top, left, height, width = box
  # Bilinear interpolation reads two pixels: beyond twice the size, it would
  # skip some. Averaging areas takes seven times as long.
  skips = max(height, width) > 2 * len(out)
  return cv2.resize(
    image[top : top + height, left : left + width],
    out.shape[:2],
    out,
    interpolation=cv2.INTER_AREA if skips else cv2.INTER_LINEAR,
  )
