"""Work that waits for others: threads do it well, since a thread that waits needs no CPU."""

import logging
from time import perf_counter
from typing import TypedDict
from urllib.request import ProxyHandler, build_opener

from examples.site import slow_site
from pooldeck import current_task, task

_log = logging.getLogger(__name__)
_opener = build_opener(ProxyHandler({}))  # the site is on this machine, whatever the proxy


class Fetched(TypedDict):
    """What `fetch_pages` got."""

    pages: int
    bytes: int
    seconds: float


@task(pool="io")
def fetch_pages(count: int = 10, latency: float = 0.2) -> Fetched:
    """Fetch pages one after the other from a slow web site of its own.

    Args:
        count: How many pages to fetch.
        latency: Seconds that each page takes to answer.
    """
    begun = perf_counter()
    size = 0
    with slow_site(latency) as address:
        for number in range(1, count + 1):
            size += _fetch(f"{address}/{number}")
            current_task().progress(number / count, f"page {number}")
    return {"pages": count, "bytes": size, "seconds": round(perf_counter() - begun, 3)}


def _fetch(url: str) -> int:
    with _opener.open(url, timeout=30) as response:
        body: bytes = response.read()
        _log.info("%s: %s, %d bytes", url, response.status, len(body))
    return len(body)
