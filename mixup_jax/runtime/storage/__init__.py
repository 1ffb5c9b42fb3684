"""Files on a disk, or in a bucket of Google Cloud Storage, alike.

A path that a user gives becomes a `Path` once, by `path`: a `pathlib.Path` on a
disk, and an `etils.epath.Path` for gs://, which has the same methods. A bucket
cannot append, rename or lock, and knows no directories, so what needs that is
here, for both:

    replace            writes a file in one step
    staged, upload     what is written by libraries that know disks alone
    leased             the lock of a bucket
    Unavailable        what its outages become, after clients have retried
"""

from mixup_jax.runtime.storage._errors import as_os_error
from mixup_jax.runtime.storage._errors import is_transient
from mixup_jax.runtime.storage._errors import Unavailable
from mixup_jax.runtime.storage._files import check_writable
from mixup_jax.runtime.storage._files import files_below
from mixup_jax.runtime.storage._files import remove
from mixup_jax.runtime.storage._files import replace
from mixup_jax.runtime.storage._files import staged
from mixup_jax.runtime.storage._files import upload
from mixup_jax.runtime.storage._lease import leased
from mixup_jax.runtime.storage._paths import data_dir
from mixup_jax.runtime.storage._paths import in_bucket
from mixup_jax.runtime.storage._paths import on_disk
from mixup_jax.runtime.storage._paths import Path
from mixup_jax.runtime.storage._paths import path

__all__ = (
  "as_os_error",
  "check_writable",
  "data_dir",
  "files_below",
  "in_bucket",
  "is_transient",
  "leased",
  "on_disk",
  "Path",
  "path",
  "remove",
  "replace",
  "staged",
  "Unavailable",
  "upload",
)
