"""Several processes as one run: they start together, and end together.

By itself, jax aborts a process whose peer is missing or dead after a minute or
two, without naming the peer. So every process holds one TCP connection to
process 0, opened before jax starts and closed at the end:

    process 1 ---.
    process 2 ---+--- process 0, which forwards messages to all
    process 3 ---'

The operating system closes the connection of a process that dies, at once; a
process that hangs falls silent. A process that detects either prints one line,
and exits with a status on which supervisors restart it. Code, versions and
config are compared on connecting, and differences are named.

Give a run a network of its own, or one that everybody on it may be trusted
with: the connections are not encrypted, and those of jax, on other ports, are
not authenticated either. On the port of process 0 a process proves with
`MIXUP_JAX_TOKEN`, a secret in the environment of all, that it belongs to the
run; without one, with the address of the coordinator, which is no secret. Who
cannot prove it is refused, and the run waits on. Messages are JSON of bounded
length; nothing that arrives is executed, or printed unescaped.
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
