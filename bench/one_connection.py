"""One program, one connection, one task after the other, by the standard library's `http.client`.

The least that anybody does, and the one case in which nothing can be gathered: each submission is
a request, a commit and an answer of its own. It is compared with one synced write of this disk and
one call of an empty application, in turn; and so many until all are done with other queues of the
field (see `bench.field`).
"""

import contextlib
import http.client
import statistics
import time
from collections import defaultdict
from typing import Final

from bench import disk
from bench.batches import NOOP
from bench.field import QUEUES, missing
from bench.field.sending import serving
from bench.figures import Figure, of_rounds, ratios
from bench.processes import Pooldeck, Server, application, pooldeck, wait_until
from bench.scale import Scale

_BODY: Final = b'{"function": "%s"}' % NOOP.encode()
_HEADERS: Final = {"Content-Type": "application/json"}
_PAUSE: Final = 0.005  # seconds between two looks
_LONGEST: Final = 120.0  # seconds
_AT_LEAST: Final = {"taskiq": 1.0, "dramatiq": 0.7}
_WORDS: Final = "one connection, one after the other"


def measure(scale: Scale) -> list[Figure]:
    """Measure a submission against the floor under it, and many until done against the field."""
    with pooldeck(scale.folder / "one-connection") as server:
        with application("empty", scale.folder / "empty") as empty:
            figures = _against_the_floor(server, empty, scale)
        return figures + _against_the_field(server, scale)


def _against_the_floor(server: Pooldeck, empty: Server, scale: Scale) -> list[Figure]:
    """Measure one submission, one empty call and one synced write, in turn."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(1 + scale.rounds):
        found["ours"].append(_median(server, scale.one_by_one))
        _wait_until_done(server)
        found["empty"].append(_median(empty, scale.one_by_one))
        found["disk"].append(disk.measure(scale.folder, scale.one_by_one).value)
    ours, calls, writes = (found[side][1:] for side in ("ours", "empty", "disk"))  # 0: cold caches
    floor = [call + write for call, write in zip(calls, writes, strict=True)]
    return [
        of_rounds(f"{_WORDS}: a submission", ours, "ms"),
        of_rounds("  a call of an empty FastAPI application", calls, "ms"),
        of_rounds("  one synced write, this disk", writes, "ms"),
        of_rounds("  submission over the two together", ratios(ours, floor), "", at_most=1.3),
    ]


def _against_the_field(server: Pooldeck, scale: Scale) -> list[Figure]:
    """Measure tasks a second from the first submission until all are done, in turn."""
    there = []
    for queue in QUEUES:
        if (words := missing(queue)) is None:
            there.append(queue)
        else:
            print(words)
    rates: defaultdict[str, list[float]] = defaultdict(list)
    with contextlib.ExitStack() as stack:
        rate_of = {
            queue: stack.enter_context(serving(queue, scale.folder / queue)) for queue in there
        }
        for _ in range(scale.size_rounds):
            rates["ours"].append(_rate(server, scale.one_loop))
            for queue in there:
                rates[queue].append(rate_of[queue](scale.one_loop))
    figures = [of_rounds(f"{_WORDS}, until all are done", rates["ours"], "per s")]
    for queue in there:
        quotients = ratios(rates["ours"], rates[queue])
        figures += [
            of_rounds(f"  {QUEUES[queue]}", rates[queue], "per s"),
            of_rounds("  ratio", quotients, "", at_least=_AT_LEAST[queue]),
        ]
    return figures


def _median(server: Server, number: int) -> float:
    """Return the median of `number` submissions, in ms."""
    return 1000 * statistics.median(_submit(server, number))


def _submit(server: Server, number: int) -> list[float]:
    """Submit so many, each after the answer to the one before; return the seconds of each."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_LONGEST)
    took = []
    with contextlib.closing(connection):
        connection.connect()
        for _ in range(number):
            began = time.perf_counter()
            connection.request("POST", "/api/v1/tasks", _BODY, _HEADERS)
            answer = connection.getresponse()
            answer.read()
            took.append(time.perf_counter() - began)
            if answer.status != http.client.ACCEPTED:
                raise RuntimeError(f"a submission was answered with {answer.status}")
    return took


def _rate(server: Pooldeck, number: int) -> float:
    wanted = server.record.number("succeeded", NOOP) + number
    began = time.monotonic()
    _submit(server, number)
    wait_until(lambda: server.record.number("succeeded", NOOP) == wanted, _LONGEST, _PAUSE)
    return number / (time.monotonic() - began)


def _wait_until_done(server: Pooldeck) -> None:
    wait_until(lambda: server.record.not_succeeded_since(0) == 0, _LONGEST)
