"""What TFDS knows of a set."""

import tensorflow_datasets as tfds


class DatasetInfo(tfds.core.DatasetInfo):
  """The info of a set that is in no bucket of TFDS.

  TFDS asks its bucket about each set that is not prepared. Although that is
  switched off, every builder would leave an empty directory, `tmp*tfds`, in the
  temporary directory of the system.
  """

  def initialize_from_bucket(self) -> None:
    """Does nothing."""
