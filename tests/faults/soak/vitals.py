"""Memory, file descriptors and threads of the server, over each of its lives."""

import statistics
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil
from msgspec import Struct

_EVERY = 1.0  # seconds
_WARM_UP = 15  # samples at the start of a life that do not count
_FEWEST = 30  # samples that are worth a judgement


class Vitals(Struct, frozen=True):
    """One sample; memory in bytes."""

    memory: int
    descriptors: int
    threads: int


class Allowance(Struct, frozen=True):
    """How much a figure may grow from the first third of a life to the last."""

    name: str
    figure: Callable[[Vitals], float]
    most: Callable[[float], float]


_ALLOWANCES = (
    Allowance("memory (MB)", lambda seen: seen.memory / 1e6, lambda first: 0.15 * first + 10),
    Allowance("file descriptors", lambda seen: seen.descriptors, lambda _: 12),
    Allowance("threads", lambda seen: seen.threads, lambda _: 4),
)


class Watch:
    """Samples of each life, by process id."""

    def __init__(self) -> None:
        self._lives: defaultdict[int, list[Vitals]] = defaultdict(list)

    def look(self, pid: int) -> None:
        """Take a sample, if the server lives."""
        with suppress(psutil.Error):
            server = psutil.Process(pid)
            with server.oneshot():
                self._lives[pid].append(
                    Vitals(server.memory_info().rss, server.num_fds(), server.num_threads())
                )

    def judge(self) -> tuple[list[str], list[str]]:
        """Return a line for each figure of each life that was long enough, and what grew."""
        lines, grown = [], []
        for pid, samples in self._lives.items():
            counted = samples[_WARM_UP:]
            if len(counted) < _FEWEST:
                continue
            for allowance in _ALLOWANCES:
                line, is_flat = _judge(allowance, counted)
                lines.append(f"server {pid}, {len(samples)} s: {line}")
                if not is_flat:
                    grown.append(f"server {pid} grew: {line}")
        return lines, grown


def _judge(allowance: Allowance, samples: list[Vitals]) -> tuple[str, bool]:
    third = len(samples) // 3
    values = [allowance.figure(sample) for sample in samples]
    first, last = statistics.median(values[:third]), statistics.median(values[-third:])
    is_flat = last - first <= allowance.most(first)
    return f"{allowance.name} {first:.0f} to {last:.0f}", is_flat


@contextmanager
def watching(pid: Callable[[], int]) -> Iterator[Watch]:
    """Sample the server `pid()` while the body runs."""
    watch, over = Watch(), threading.Event()

    def look() -> None:
        while not over.wait(_EVERY):
            watch.look(pid())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield watch
    finally:
        over.set()
        thread.join()
