"""The faults of the soak. Each is done, seen through, and left behind for the next one."""

import os
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

from tests.faults.oracle import CRASHERS
from tests.faults.picture import listed
from tests.faults.soak.site import SIZES, Site
from tests.faults.visitor import visited
from tests.support.waiting import eventually

_HELD_UP = 3.0  # seconds that the server is stopped, or its database locked
_SLOW_READERS = 20
_PAGES = 25


def kill_a_worker(site: Site) -> None:
    worker = site.worker()
    running = {slot["function"] for slot in worker["slots"]} if worker else CRASHERS
    if running & CRASHERS:
        return  # it may die by itself first
    site.killed.add(worker["pid"])
    os.kill(worker["pid"], signal.SIGKILL)
    eventually(lambda: _is_told(site, worker["pid"]), "the death is an incident")


def _is_told(site: Site, pid: int) -> bool:
    return any(each["pid"] == pid for each in listed(site.deployment, "/incidents"))


def crash(site: Site) -> None:
    function, *args = site.chance.choice(
        [
            ("leave", 0),
            ("leave", 1),
            ("segfault",),
            ("abort",),
            ("kill_self", int(signal.SIGKILL)),
            ("crash_until", 2),
        ]
    )
    site.client.send(site.client.intend(str(function), *args, pool=site.pool()))


def ask_for_too_much_memory(site: Site) -> None:
    site.client.send(site.client.intend("burst_memory", 2048, pool=site.pool()))


def never_end(site: Site) -> None:
    function, *args = site.chance.choice(
        [("spin",), ("sleep", 600), ("hold_gil", 600), ("match",), ("obey",)]
    )
    timeout = round(site.chance.uniform(0.3, 2), 2)
    site.client.send(site.client.intend(str(function), *args, pool=site.pool(), timeout=timeout))


def cancel(site: Site) -> None:
    if task := site.task("running", "queued", "scheduled"):
        kill = site.chance.random() < 0.5
        site.client.do(f"/tasks/{task['id']}/cancel", kill=kill)


def retry(site: Site) -> None:
    task = site.task("failed", "lost", "cancelled")
    if task and task["function"] not in CRASHERS:
        site.client.ledger.by_id[task["id"]].retries_by_hand += 1
        site.client.call("POST", f"/tasks/{task['id']}/retry")


def look_at_a_stack(site: Site) -> None:
    if task := site.task("running"):
        site.client.call("GET", f"/tasks/{task['id']}/stack")


def look_around(site: Site) -> None:
    wrong = visited(site.deployment, site.chance, _PAGES)
    assert wrong == [], f"pages failed: {wrong}"


def kill_a_worker_by_call(site: Site) -> None:
    if worker := site.worker():
        site.client.call("POST", f"/workers/{worker['id']}/kill")


def resize(site: Site) -> None:
    pool = site.pool()
    size = site.chance.randint(1, 2 * SIZES[pool])
    site.client.call("PATCH", f"/pools/{pool}", json={"size": size})


def pause(site: Site) -> None:
    pool = site.pool()
    site.client.call("PATCH", f"/pools/{pool}", json={"paused": True})
    time.sleep(site.chance.uniform(0.1, 2))
    site.client.call("PATCH", f"/pools/{pool}", json={"paused": False})


def drain(site: Site) -> None:
    pool = site.pool()
    site.client.do(f"/pools/{pool}/drain")
    time.sleep(site.chance.uniform(0.1, 2))
    site.client.call("PATCH", f"/pools/{pool}", json={"paused": False})


def restart_a_pool(site: Site) -> None:
    site.client.do(f"/pools/{site.pool()}/restart")


def hold_the_server_up(site: Site) -> None:
    with site.prober.away(), site.deployment.frozen():
        time.sleep(_HELD_UP)


def lock_the_database(site: Site) -> None:
    database = sqlite3.connect(site.deployment.database, isolation_level=None, timeout=30)
    with closing(database):
        database.execute("BEGIN IMMEDIATE")
        time.sleep(_HELD_UP)
        database.execute("ROLLBACK")


def read_slowly(site: Site) -> None:
    """Open streams and read nothing of them."""
    address = urlsplit(site.deployment.url)
    with ExitStack() as stack:
        for _ in range(_SLOW_READERS):
            reader = stack.enter_context(
                socket.create_connection((str(address.hostname), int(address.port or 0)))
            )
            request = f"GET /api/v1/events HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n"
            reader.sendall(request.encode())
        time.sleep(_HELD_UP)


def kill_the_server(site: Site) -> None:
    site.deployment.kill()
    _begin_again(site)


def stop_the_server(site: Site) -> None:
    site.deployment.families[-1].remember(site.deployment.process.pid)
    exit_code = site.deployment.stop()
    said = site.deployment.said[-1500:]
    assert exit_code == 0, f"the server ended with {exit_code}: {said}"
    _begin_again(site)


def _begin_again(site: Site) -> None:
    left = site.deployment.families[-1].left_in_the_end()
    assert left == [], f"the server is gone, these are not: {left}"
    site.deployment.start()
    site.client.settle()


Fault = Callable[[Site], None]
FAULTS: tuple[Fault, ...] = (
    kill_a_worker,
    crash,
    ask_for_too_much_memory,
    never_end,
    cancel,
    retry,
    look_at_a_stack,
    look_around,
    kill_a_worker_by_call,
    resize,
    pause,
    drain,
    restart_a_pool,
    hold_the_server_up,
    lock_the_database,
    read_slowly,
)
ENDS: tuple[Fault, ...] = (kill_the_server, stop_the_server)
"""Done in the first half only, so that the last life is long enough to show what grows."""
