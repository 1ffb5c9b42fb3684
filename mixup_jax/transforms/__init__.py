"""Pure functions of (key, arrays): mixup, related transforms and their parts.

Each transform follows the protocol `Transform`, `(key, inputs, targets, *,
where=None, enabled=True, ...) -> (inputs, targets)`, so that
`functools.partial(mixup, alpha=0.2)` plugs into any training step, under `jit`,
`vmap`, `pmap` and `shard_map` alike. `as_transform` adapts a plain function to
it. The results can be split along the batch axis.

A key is one of JAX, typed or legacy, whatever the framework: `rngs.mix()` of
Flax NNX, `make_rng("mix")` of Flax Linen, `hk.next_rng_key()` of Haiku.
"""

from mixup_jax.transforms._assigned import assigned_partners
from mixup_jax.transforms._assigned import least_cost_assignment
from mixup_jax.transforms._checks import check_alpha
from mixup_jax.transforms._cutmix import Box
from mixup_jax.transforms._cutmix import box_mask
from mixup_jax.transforms._cutmix import cutmix
from mixup_jax.transforms._cutmix import sample_box
from mixup_jax.transforms._fmix import fmix
from mixup_jax.transforms._ids import check_num_classes
from mixup_jax.transforms._ids import in_range
from mixup_jax.transforms._ids import nan_unless
from mixup_jax.transforms._ids import one_hot
from mixup_jax.transforms._interpolate import interpolate
from mixup_jax.transforms._interpolate import mix_pairs
from mixup_jax.transforms._interpolate import mix_targets
from mixup_jax.transforms._interpolate import MixedLabels
from mixup_jax.transforms._lambdas import sample_lambda
from mixup_jax.transforms._latent import latent
from mixup_jax.transforms._manifold import HiddenMix
from mixup_jax.transforms._manifold import manifold
from mixup_jax.transforms._mixup import mixup
from mixup_jax.transforms._neighbors import draw_neighbors
from mixup_jax.transforms._neighbors import nearest_neighbors
from mixup_jax.transforms._neighbors import nearest_partners
from mixup_jax.transforms._padded import mix_padded
from mixup_jax.transforms._pair_union import pair_union
from mixup_jax.transforms._paired import paired
from mixup_jax.transforms._partners import different_class_partners
from mixup_jax.transforms._partners import random_partners
from mixup_jax.transforms._partners import rolled_partners
from mixup_jax.transforms._partners import same_class_partners
from mixup_jax.transforms._plan import Mix
from mixup_jax.transforms._plan import sample_mix
from mixup_jax.transforms._protocol import as_transform
from mixup_jax.transforms._protocol import takes
from mixup_jax.transforms._protocol import Transform
from mixup_jax.transforms._regmixup import CleanAndMixed
from mixup_jax.transforms._regmixup import regmixup
from mixup_jax.transforms._remix import remix_targets
from mixup_jax.transforms._resizemix import resizemix
from mixup_jax.transforms._similar import similar_target_partners
from mixup_jax.transforms._switch import switch
from mixup_jax.transforms._vicinity import gaussian_noise
from mixup_jax.transforms._vicinity import inputs_only
from mixup_jax.transforms._vicinity import inputs_with_smoothing
from mixup_jax.transforms._vicinity import label_smoothing

__all__ = (
  "as_transform",
  "assigned_partners",
  "Box",
  "box_mask",
  "check_alpha",
  "check_num_classes",
  "CleanAndMixed",
  "cutmix",
  "different_class_partners",
  "draw_neighbors",
  "fmix",
  "gaussian_noise",
  "HiddenMix",
  "in_range",
  "inputs_only",
  "inputs_with_smoothing",
  "interpolate",
  "label_smoothing",
  "latent",
  "least_cost_assignment",
  "manifold",
  "Mix",
  "mix_padded",
  "mix_pairs",
  "mix_targets",
  "MixedLabels",
  "mixup",
  "nan_unless",
  "nearest_neighbors",
  "nearest_partners",
  "one_hot",
  "pair_union",
  "paired",
  "random_partners",
  "regmixup",
  "remix_targets",
  "resizemix",
  "rolled_partners",
  "same_class_partners",
  "sample_box",
  "sample_lambda",
  "sample_mix",
  "similar_target_partners",
  "switch",
  "takes",
  "Transform",
)
