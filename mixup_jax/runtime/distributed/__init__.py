"""Several processes as one run: they start together, and leave together.

Alone, jax aborts a process whose peer has not come or has died, after a minute
or two and without a word on which one. So every process holds one TCP
connection to process 0, opened before jax starts and closed at the end:

    process 1 ---.
    process 2 ---+--- process 0, which passes on what it hears
    process 3 ---'

The system closes the connection of a process that dies, at once; one that hangs
falls silent. Who notices says so in one line, and leaves with a status that
supervisors take as "start me again". What all of them must have in common is
compared on the way, and what differs is named.
"""

from mixup_jax.runtime.distributed._differences import differences
from mixup_jax.runtime.distributed._start import initialize
from mixup_jax.runtime.distributed._watch import exchange
from mixup_jax.runtime.distributed._watch import peers_watched
from mixup_jax.runtime.distributed._watch import RESTART_STATUS

__all__ = (
  "differences",
  "exchange",
  "initialize",
  "peers_watched",
  "RESTART_STATUS",
)
