"""The data mesh, and partner policies of known cost."""

from mixup_jax.sharding.mesh import AXIS
from mixup_jax.sharding.mesh import check_divides
from mixup_jax.sharding.mesh import local_rows
from mixup_jax.sharding.mesh import make_mesh
from mixup_jax.sharding.mesh import Mesh
from mixup_jax.sharding.mesh import put
from mixup_jax.sharding.mesh import put_rows
from mixup_jax.sharding.mesh import replicated
from mixup_jax.sharding.mesh import sharded
from mixup_jax.sharding.partners import check_pairable
from mixup_jax.sharding.partners import partners
from mixup_jax.sharding.partners import per_device
from mixup_jax.sharding.partners import POLICIES
from mixup_jax.sharding.partners import with_partners

__all__ = (
  "AXIS",
  "check_divides",
  "check_pairable",
  "local_rows",
  "make_mesh",
  "Mesh",
  "partners",
  "per_device",
  "POLICIES",
  "put",
  "put_rows",
  "replicated",
  "sharded",
  "with_partners",
)
