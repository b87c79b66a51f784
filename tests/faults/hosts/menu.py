"""The faults of hosts: everything that takes part is killed and stopped, and links fail."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress

from tests.faults.hosts.site import HOSTS, PAST_LEASE, HostSite

_STOPS = (0.2, 0.5, 1.0, PAST_LEASE)  # seconds


class Fault:
    """Something bad that is done to a site; `name` says what."""

    def __init__(self, name: str, do: Callable[[HostSite], str]) -> None:
        self.name = name
        self._do = do

    def __call__(self, site: HostSite) -> None:
        """Do it, and count it if there was something that it could be done to."""
        with suppress(LookupError, ProcessLookupError):
            site.done[self._do(site)] += 1


def _note(site: HostSite, part: str, pid: int) -> None:
    """Note a worker that is killed, or stopped: its pool ends one that stands still."""
    if part == "worker":
        site.killed.add(pid)


def _kill(part: str) -> Fault:
    def kill(site: HostSite) -> str:
        pid = getattr(site, part)()
        if part == "server":
            site.deployment.kill()
        else:
            os.kill(pid, signal.SIGKILL)
        _note(site, part, pid)
        return f"kill {part}"

    return Fault(f"kill {part}", kill)


def _stop(part: str) -> Fault:
    def stop(site: HostSite) -> str:
        pid, seconds = getattr(site, part)(), site.chance.choice(_STOPS)
        _note(site, part, pid)
        os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(seconds)
        finally:
            with suppress(ProcessLookupError):  # it may have been ended meanwhile
                os.kill(pid, signal.SIGCONT)
        return f"stop {part}" + (" past the lease" if seconds == PAST_LEASE else "")

    return Fault(f"stop {part}", stop)


def _drop(site: HostSite) -> str:
    site.relay.drop(site.chance.choice(HOSTS))
    return "drop link"


def _cut_off(site: HostSite) -> str:
    host = site.chance.choice(HOSTS)
    site.relay.refuse(host)
    time.sleep(PAST_LEASE)
    site.relay.let(host)
    return "cut off past the lease"


def _hold_up(site: HostSite) -> str:
    """Deliver nothing for a while, and then all of it: also grants of a lease that is over."""
    host = site.chance.choice(HOSTS)
    site.relay.hold(host)
    time.sleep(PAST_LEASE)
    site.relay.let(host)
    return "hold up link past the lease"


PARTS = (
    "host",
    "keeper",
    "worker",
    "dask_worker",
    "nanny",
    "scheduler",
    "companion",
    "server",
)
FAULTS: tuple[Fault, ...] = (
    *map(_kill, PARTS),
    *map(_stop, PARTS),
    Fault("drop link", _drop),
    Fault("cut off", _cut_off),
    Fault("hold up", _hold_up),
)
