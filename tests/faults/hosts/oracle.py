"""What must hold of calls on hosts whatever happens, beside what must hold of all tasks."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

from tests.faults.hosts.site import HOSTS, HostSite
from tests.faults.oracle import CUT_OFF, violations
from tests.faults.picture import Picture

_ROUNDED = 0.002  # seconds by which times of the API may be early


def host_violations(site: HostSite) -> list[str]:
    """Return what does not hold of a site on which everything should be final, and mended."""
    picture = Picture.take(site.deployment, site.client.ledger)
    return [
        *violations(site.deployment, site.client.ledger, killed_with_it=site.killed),
        *_ran_on(picture),
        *_ran_side_by_side(picture),
        *(f"orphan: {each}" for each in site.orphans()),
        *_hosts_are_known(site),
    ]


def _ran_on(picture: Picture) -> Iterator[str]:
    """Nothing leaves a sign of life after it was said to be cut off."""
    last = _moments(picture, last=True)
    for task, attempt in picture.all_attempts():
        kind = attempt["error"] and attempt["error"]["kind"]
        key = (task["id"], attempt["attempt"])
        if kind in CUT_OFF and key in last:
            said_at = datetime.fromisoformat(attempt["finished_at"]).timestamp()
            if (late := last[key] - said_at) > _ROUNDED:
                yield f"attempt {key[1]} of {key[0]} ran on for {late:.3f} s after it was {kind}"


def _ran_side_by_side(picture: Picture) -> Iterator[str]:
    """An attempt begins when the one before it leaves no sign of life any more."""
    first, last = _moments(picture, last=False), _moments(picture, last=True)
    by_task: defaultdict[str, list[int]] = defaultdict(list)
    for task, attempt in sorted(first):
        by_task[task].append(attempt)
    for task, attempts in by_task.items():
        for one, other in pairwise(attempts):
            if last[task, one] > first[task, other]:
                yield f"attempts {one} and {other} of {task} ran at once"


def _moments(picture: Picture, *, last: bool) -> dict[tuple[str, int], float]:
    """Return the first, or the last, sign of life of each attempt."""
    found: dict[tuple[str, int], float] = {}
    for line in picture.effects:
        key = (line.task, line.attempt)
        found[key] = line.said_at if last else found.get(key, line.said_at)
    return found


def _hosts_are_known(site: HostSite) -> Iterator[str]:
    """Both hosts are back, and there is no host process that the server does not know of."""
    if site.attached() != list(HOSTS):
        yield f"attached are {site.attached()}: {_story(site)}"
    if sorted(site.host_processes().values()) != list(HOSTS):
        yield f"there are these host processes: {site.host_processes()}"


def _story(site: HostSite) -> Any:
    pool = site.deployment.get("/pools/big")
    return pool["engine"], [(each["name"], each["state"], each["reason"]) for each in pool["hosts"]]
