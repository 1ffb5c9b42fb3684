"""Checkpoints that are whole, or known not to be.

    DIRECTORY/STEP/state/      the arrays, by name, as orbax writes them
    DIRECTORY/STEP/leaves/     shape, dtype and CRC-32 of each, as JSON
    DIRECTORY/STEP.damaged/    what could not be read; nothing here deletes it

orbax does not see a flipped bit, and casts to another dtype without a word. The
list of leaves is what tells a damaged checkpoint, and that of another model.
"""

from mixup_jax.runtime.checkpoint._checkpoints import Checkpoints

__all__ = ("Checkpoints",)
