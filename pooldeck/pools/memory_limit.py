"""The limit of a worker's memory: over it a worker is replaced, far over it killed."""

import logging
from typing import Final

from pooldeck.pools.roster import Roster
from pooldeck.pools.worker import EndReason, Worker

_log = logging.getLogger(__name__)
_KILLED_OVER: Final = 1.5  # times the limit
_MIB: Final = 1024 * 1024


def enforce(worker: Worker, rss_bytes: int, most: int, roster: Roster) -> bool:
    """Have a worker replaced when its calls have ended, or killed with them, if it is too large.

    Args:
        worker: One that has worked: what it takes for its imports alone, a new one takes too.
        rss_bytes: Its resident memory.
        most: The limit in bytes; 0 for none.
        roster: Ends it.

    Returns:
        Whether it has to go, and did not have to before.
    """
    if not 0 < most < rss_bytes or not worker.has_worked:
        return False
    was_to_go = worker.is_worn or worker.verdict is not None
    if rss_bytes <= _KILLED_OVER * most:
        roster.retire_when_replaced(worker)
        return not was_to_go
    why = (
        f"its worker used {rss_bytes // _MIB} MiB, over {_KILLED_OVER:g} times "
        f"max_memory_mb = {most // _MIB}"
    )
    _log.warning(
        "worker %s (pid %d) is ended with what it runs: %s",
        *(worker.id, worker.pid, why),
        extra=worker.log_extra,
    )
    roster.end(worker, EndReason.MEMORY, why=why)
    return not was_to_go
