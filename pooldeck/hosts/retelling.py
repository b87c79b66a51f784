"""What a host tells of its pool, told on to the server's listener by the server's own clocks."""

import hashlib
import time
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from pooldeck.hosts.link import HostLink
from pooldeck.hosts.wire import (
    Began,
    Described,
    Died,
    FromHost,
    FromServer,
    Logged,
    Progressed,
    Recovered,
    Watched,
    WorkerSaid,
)
from pooldeck.pools.listener import PoolListener
from pooldeck.protocol import LogLine

_SKEW: Final = 1.0  # seconds by which a host's wall clock may differ before lines are moved


class Retelling:
    """Passes on what concerns nothing but the listener.

    Args:
        listener: That of the pool.
    """

    def __init__(self, listener: PoolListener) -> None:
        self._listener = listener

    def tell(self, link: HostLink, message: FromHost | FromServer) -> None:
        """Pass on what a host says."""
        match message:
            case Began():
                if (handed := link.calls.get(message.task)) is not None:
                    self._listener.started(handed.seen())
            case Logged():
                self._listener.logged(message.task, _moved(message.lines, message.now))
            case Progressed():
                self._listener.progressed(message.progress)
            case WorkerSaid():
                self._listener.worker_said(message.worker, _moved(message.lines, message.now))
            case Watched():
                self._listener.observed(message.observations)
            case Described():
                link.code_version = _version(message.code.sources)
                link.pool.described.add(message.worker)
                self._listener.described(message.worker, message.code)
            case Died():
                at = time.monotonic() - message.ago
                self._listener.died(replace(message.death, detected_at=at))
            case Recovered():
                self._listener.recovered(message.worker, message.seconds)


def _moved(lines: list[LogLine], theirs: float) -> list[LogLine]:
    """Return lines with the times of this machine's wall clock, if the other one's differs."""
    off = time.time() - theirs
    if abs(off) < _SKEW:
        return lines
    return [replace(line, at=line.at + off) for line in lines]


def _version(sources: Mapping[str, str]) -> str:
    """Return a short text that differs if what was loaded does."""
    text = "\n".join(sorted(sources.values()))
    return hashlib.sha256(text.encode()).hexdigest()[:8] if sources else ""
