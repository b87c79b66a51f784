"""How fast a script is that runs functions through `pooldeck.Client`.

The client is in a process of its own (`python -m bench.clients PORT MAPPED IN_A_LOOP`), as scripts
are. What it is compared with is measured in turn with it: raw batches, and a loop of bare HTTP
requests.
"""

import resource
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import psutil
from msgspec import Struct

from bench import batches
from bench.figures import Figure, of_rounds, ratios
from bench.functions import skip
from bench.processes import Pooldeck, pooldeck, wait_until
from bench.scale import Scale
from pooldeck import Client

_SKIP = "bench.functions.skip"
_WAITING = 1_000
_IMPORTS = 10
_LONGEST = 300.0  # seconds


class Rates(Struct, frozen=True):
    """What the client's process has found: calls per second, connections, its own CPU in µs."""

    map: float
    submit: float
    http: float
    connections: float
    cpu: float


def measure(scale: Scale) -> list[Figure]:
    """Measure `map` against raw batches, `submit` in a loop against bare HTTP, and waiting."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    with pooldeck(scale.folder / "clients") as server:
        batches.rate(server, 1_000)  # the first tasks find cold caches
        for _ in range(scale.rounds):
            found["batches"].append(batches.rate(server, scale.batch_tasks))
            _quiet(server)
            rates = _rates(server, scale.batch_tasks, scale.client_loop)
            for name, value in msgspec.structs.asdict(rates).items():
                found[name].append(value)
            _quiet(server)
    return [
        of_rounds("no-ops by client.map, results gathered", found["map"], "per s"),
        of_rounds("  raw batches of 1,000", found["batches"], "per s"),
        of_rounds("  ratio", ratios(found["map"], found["batches"]), "", at_least=0.6),
        Figure("  client's CPU per call", min(found["cpu"]), "µs"),
        of_rounds("client.submit in a loop, until stored", found["submit"], "per s"),
        of_rounds("  bare HTTP in a loop", found["http"], "per s"),
        of_rounds("  ratio", ratios(found["submit"], found["http"]), "", at_least=3),
        # One of them waits; the others have carried batches, and are kept for the next.
        Figure(
            "CPU of `import pooldeck`, against Python alone",
            _cpu("import pooldeck") / _cpu("pass"),
            "",
            at_most=3,
        ),
        of_rounds("connections while 1,000 futures wait", found["connections"], "", at_most=5),
    ]


def _quiet(server: Pooldeck) -> None:
    """Wait until nothing runs or waits in the pool of processes."""
    wait_until(lambda: server.get("/api/v1/pools/cpu")["queued"] == 0, _LONGEST)


def _rates(server: Pooldeck, calls: int, in_a_loop: int) -> Rates:
    """Return what a client in a process of its own finds."""
    numbers = map(str, (server.port, calls, in_a_loop))
    completed = subprocess.run(
        [sys.executable, "-m", "bench.clients", *numbers],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.PIPE,
        timeout=_LONGEST,
        check=True,
    )
    return msgspec.json.decode(completed.stdout, type=Rates)


def _cpu(program: str) -> float:
    """Return the least CPU time that a program of Python has taken, in seconds."""
    found = []
    for _ in range(_IMPORTS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _map(client: Client, calls: int) -> None:
    for _ in client.map(skip, range(calls)):
        pass


def _submit(client: Client, calls: int) -> None:
    futures = [client.submit(skip, number) for number in range(calls)]
    for future in futures:
        future.stored()


def _bare(http: httpx.Client, calls: int) -> None:
    for number in range(calls):
        body = {"function": _SKIP, "args": [number]}
        http.post("/api/v1/tasks", json=body).raise_for_status()


def _connections(client: Client) -> int:
    """Return how many connections this process has while many futures wait."""
    view = client.options(delay=3600)
    futures = [view.submit(skip, number) for number in range(_WAITING)]
    for future in futures:
        future.stored()
    number = len(psutil.Process().net_connections("tcp"))
    client.drop(futures)
    return number


def _main(port: int, calls: int, in_a_loop: int) -> Rates:
    url = f"http://127.0.0.1:{port}"
    with Client(url) as client, httpx.Client(base_url=url, trust_env=False) as http:
        client.submit(skip, 0).result()
        connections = _connections(client)
        cpu = time.process_time()
        by_map = calls / _seconds(lambda: _map(client, calls))
        cpu = time.process_time() - cpu
        by_submit = in_a_loop / _seconds(lambda: _submit(client, in_a_loop))
        client.submit(skip, 0).result()
        by_http = in_a_loop / _seconds(lambda: _bare(http, in_a_loop))
    return Rates(by_map, by_submit, by_http, connections, 1e6 * cpu / calls)


if __name__ == "__main__":
    found = _main(*map(int, sys.argv[1:]))
    sys.stdout.buffer.write(msgspec.json.encode(found))
