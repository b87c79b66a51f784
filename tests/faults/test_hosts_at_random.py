"""Everything that takes part in a call on a host is killed, stopped and cut off, at random.

Each call starts once and no more, none runs on when it is called lost, each is accounted for, and
in the end nothing is left that belongs to nobody.
"""

import itertools
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.faults.client import Client
from tests.faults.hosts.menu import FAULTS, Fault
from tests.faults.hosts.oracle import host_violations
from tests.faults.hosts.site import HostSite, host_site
from tests.faults.picture import listed

pytestmark = pytest.mark.soak
MANY = int(os.environ.get("POOLDECK_CALLS", "10000"))
SEED = int(os.environ.get("POOLDECK_SEED", "20261130"))
_SECONDS = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 2.5)  # that calls take; the longest is past a lease
_OF_TWENTY = (3, 4, 4, 4, 3, 1, 1)  # so many take as long
_TOGETHER = 0.2  # the part of faults that come while the one before them is not mended
_BACK = 15.0  # seconds that hosts get to be back before the next fault
_QUIET = 300.0  # seconds for what is left in the end


@pytest.mark.parametrize(
    ("calls", "at_once"),
    [
        pytest.param(300, 16, marks=pytest.mark.timeout(600)),
        pytest.param(MANY, 60, marks=[pytest.mark.endurance, pytest.mark.timeout(7200)]),
    ],
)
def test_whatever_dies_stops_or_is_cut_off_each_call_runs_once_and_is_accounted_for(
    calls: int, at_once: int, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    with host_site(tmp_path, chance) as site:
        assert site.settle(_QUIET)
        faults = _in_turn(chance)
        for sent in range(0, calls, at_once):
            if chance.random() >= _TOGETHER:
                site.settle(_BACK)
            with _submitting(site, min(at_once, calls - sent)):
                next(faults)(site)
            site.mend()
            site.client.settle()
        site.settle(_QUIET)
        site.deployment.when_quiet(_QUIET)
        site.settle(_QUIET)
        _report(site, tmp_path / "found")
        assert host_violations(site) == []


def _in_turn(chance: random.Random) -> Iterator[Fault]:
    """Yield each fault once, in any order, and then again."""
    for _ in itertools.count():
        yield from chance.sample(FAULTS, len(FAULTS))


@contextmanager
def _submitting(site: HostSite, calls: int) -> Iterator[None]:
    """Submit calls, half of them while the body runs; a server that is gone takes no more."""
    chance = random.Random(site.chance.random())
    _submit(site.client, chance, calls // 2)
    rest = threading.Thread(target=_submit_meanwhile, args=(site, chance, calls - calls // 2))
    rest.start()
    try:
        yield
    finally:
        rest.join()


def _submit_meanwhile(site: HostSite, chance: random.Random, calls: int) -> None:
    with Client(site.deployment, site.client.ledger) as client:
        _submit(client, chance, calls)


def _submit(client: Client, chance: random.Random, calls: int) -> None:
    for _ in range(calls):
        function = "beat_again" if chance.random() < 0.2 else "beat"
        [seconds] = chance.choices(_SECONDS, _OF_TWENTY)
        entry = client.intend(function, seconds, pool="big")
        with suppress(httpx.TransportError):
            client.send(entry)  # else `settle` sends it again


def _report(site: HostSite, file: Path) -> None:
    """Write down what was done, and what became of the calls."""
    tasks = listed(site.deployment, "/tasks")
    ends = Counter((each["state"], each["error"] and each["error"]["kind"]) for each in tasks)
    attempts = sum(each["attempt"] for each in tasks)
    lives = len(site.deployment.logs)
    lines = [f"{name}: {n}" for name, n in sorted(site.done.items())]
    lines += [f"{state} {kind or ''}: {n}" for (state, kind), n in ends.most_common()]
    file.write_text("\n".join([*lines, f"attempts: {attempts}", f"lives: {lives}"]) + "\n")
