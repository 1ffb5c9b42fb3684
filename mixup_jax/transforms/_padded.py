"""Mixes examples of unequal lengths."""

import jax
import jax.numpy as jnp

from mixup_jax.transforms import _checks
from mixup_jax.transforms import _interpolate
from mixup_jax.transforms import _plan

Array = jax.Array
PyTree = _plan.PyTree


def mix_padded(
  tree: PyTree, mix: _plan.Mix, *, valid: Array
) -> tuple[PyTree, Array]:
  """Mixes sequences of unequal lengths, in which padding counts as zeros.

      x     = lam * valid * x + (1 - lam) * valid[partner] * x[partner]
      valid = valid or valid[partner]

  Where one of a pair is padding, the other keeps its weight, lam or 1 - lam, as
  if mixed with zeros; where both are, the result is 0. For embeddings of a text
  and a network that takes their mask:

      mix = sample_mix(key, batch, alpha=0.2)
      x, valid = mix_padded(x, mix, valid=valid)
      loss = cross_entropy(net(x, valid), mix_targets(labels, mix))

  Labels of tokens hold the id that the loss has to `ignore` at all padding: a
  token then has the weight in the loss that it has here. A waveform is padded
  by silence: `valid = jnp.arange(samples)[None] < lengths[:, None]`. The hook
  of `manifold` mixes hidden layers in this way if they are 0 at padding, and
  their mask, as floats, beside them: it then is above 0 where it was valid in
  either.

  Args:
    tree: Any tree of `[batch, length, ...]` floating-point arrays. What padding
      holds, NaN included, has no effect.
    mix: The plan.
    valid: `[batch, length]` booleans, False for padding, or `[batch, height,
      width]` and so on, if every leaf begins with these axes.

  Returns:
    The mixed tree, shapes and dtypes unchanged, and the mask of the mix, with
    the shape of `valid`. An example of weight 0 has no part in either.

  Raises:
    TypeError: If a leaf is not floating point, or `valid` not boolean.
    ValueError: If `valid` has no axis but the batch, or a leaf does not begin
      with the axes of `valid`.

  References:
    Guo et al., Augmenting Data with Mixup for Sentence Classification: An
    Empirical Study, 2019, arXiv 1905.08941: wordMixup, of sentences padded by
    zeros to one length. Its senMixup mixes pooled sentences, see `manifold`.
  """
  _checks.check_numbers(tree=tree)
  _checks.check_boolean("valid", valid)
  shape = jnp.shape(valid)
  if len(shape) < 2:
    raise ValueError(
      f"valid must be [batch, length], got the shape {shape}: padding of whole "
      "examples is `where` of `sample_mix`."
    )
  for path, x in jax.tree_util.tree_leaves_with_path(tree):
    if jnp.shape(x)[: len(shape)] != shape:
      raise ValueError(
        f"tree{jax.tree_util.keystr(path)} has the shape {jnp.shape(x)}, which "
        f"does not begin with that of valid, {shape}: mix it by `mix_pairs`."
      )
  valid = jnp.asarray(valid)

  def without_padding(x: Array) -> Array:
    x = jnp.asarray(x)
    return jnp.where(valid.reshape(shape + (1,) * (x.ndim - len(shape))), x, 0)

  mixed = _interpolate.mix_pairs(jax.tree.map(without_padding, tree), mix)
  # As weights, so that an example of weight 0 is not in the union.
  return mixed, _interpolate.mix_pairs(valid.astype(jnp.float32), mix) > 0
