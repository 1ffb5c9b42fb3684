"""Checkpoints that are intact, or detected as damaged.

    DIRECTORY/STEP/state/      the arrays, by name, as orbax writes them
    DIRECTORY/STEP/leaves/     shape, dtype and CRC-32 of each, as JSON
    DIRECTORY/STEP.damaged/    a damaged checkpoint, which is never deleted

orbax does not detect a flipped bit, and casts to another dtype silently. The
list of leaves detects damaged checkpoints, and those of another model.
"""

from mixup_jax.runtime.checkpoint._checkpoints import Checkpoints

__all__ = ("Checkpoints",)
