"""What the machine lets one program have: files, processes, memory, CPUs."""

import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psutil

from pooldeck.cpus import usable_cpus
from pooldeck.kinds import KINDS
from pooldeck_server.doctor.findings import CheckResult, look, ok, size, wrong
from pooldeck_server.settings import Settings

_TOPIC: Final = "limits"
_CGROUP: Final = Path("/sys/fs/cgroup")
_BESIDE: Final = 100  # descriptors of the server beside connections and workers
_OF_WORKER: Final = 6  # descriptors of the server for each worker
_LEAST_FILES: Final = 256
_WORKER_BYTES: Final = 40 * 1024 * 1024  # of a worker at rest that has imported little
_SERVER_BYTES: Final = 200 * 1024 * 1024
_THREADS: Final = 4  # of a process, beside its slots
_UNLIMITED: Final = 2**60  # version 1 of cgroups writes a number as large for "no limit"
_CROWDED: Final = 4  # processes for each CPU


def look_at(settings: Settings) -> Iterator[CheckResult]:
    """Compare the limits of this process, which are the server's if the same starts it."""
    workers, threads = _workers(settings)
    yield _files(settings, workers)
    yield _processes(workers, threads)
    yield _memory(settings, workers)
    yield from _cpus(settings)


def _workers(settings: Settings) -> tuple[int, int]:
    """Return how many worker processes there will be, and how many threads in them."""
    workers = threads = 0
    for pool in settings.pools.values():
        per_worker = 1 if KINDS[pool.kind].is_alone else pool.slots
        number = pool.slots + pool.spares if KINDS[pool.kind].is_alone else 1
        workers += number
        threads += number * (per_worker + _THREADS)
    return workers, threads


def _files(settings: Settings, workers: int) -> CheckResult:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = settings.limits.connections * 4 // 3 + workers * _OF_WORKER + _BESIDE
    unit = f"LimitNOFILE={needed} in the unit, or ulimit -n {needed} where it is started"
    words = f"open files: {_number(soft)} (at most {_number(hard)})"
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return ok(_TOPIC, words)
    if soft < _LEAST_FILES + workers * _OF_WORKER:
        return wrong(_TOPIC, f"{words}: too few for {workers} workers and some connections", unit)
    connections = soft * 3 // 4
    return look(
        _TOPIC,
        f"{words}: enough for {connections} of the {settings.limits.connections} connections that "
        "limits.connections allows",
        unit,
    )


def _processes(workers: int, threads: int) -> CheckResult:
    soft, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    group = _from_cgroup("pids.max")
    limits = [each for each in (soft, group) if each is not None and each >= 0]
    most = min(limits, default=None)
    words = f"processes: {workers} workers with some {threads} threads"
    if most is None or (os.geteuid() == 0 and group is None) or most > 2 * threads:
        return ok(_TOPIC, words)
    mend = "raise TasksMax= in the unit, pids_limit of the container or ulimit -u"
    if most < threads:
        return wrong(_TOPIC, f"{words}, and at most {most} are allowed", mend)
    return look(_TOPIC, f"{words}, and {most} are allowed for all of this user", mend)


def _memory(settings: Settings, workers: int) -> CheckResult:
    group = _from_cgroup("memory.max", "memory/memory.limit_in_bytes")
    total = psutil.virtual_memory().total
    most = total if group is None else min(total, group)
    needed = _SERVER_BYTES + workers * _WORKER_BYTES
    words = f"memory: {size(most)}{'' if group is None else ' for this cgroup'}"
    if most < needed:
        return look(
            _TOPIC,
            f"{words}; the server and {workers} workers take {size(needed)} or more at rest",
            "make the pools smaller, or give it more",
        )
    bounded = sum(
        pool.max_memory_bytes * (pool.slots if KINDS[pool.kind].is_alone else 1)
        for pool in settings.pools.values()
    )
    if bounded > most:
        return look(
            _TOPIC,
            f"{words}; the workers may take {size(bounded)} by max_memory_mb before one of them is "
            "replaced",
            "lower max_memory_mb, or make the pools smaller",
        )
    return ok(_TOPIC, words)


def _cpus(settings: Settings) -> Iterator[CheckResult]:
    cpus = usable_cpus()
    yield ok(_TOPIC, f"CPUs that this process may use: {cpus}")
    for name, pool in settings.pools.items():
        if KINDS[pool.kind].is_alone and pool.slots > _CROWDED * cpus:
            yield look(
                _TOPIC,
                f"pool {name} has {pool.slots} processes for {cpus} CPUs",
                f"what computes is no faster by that: set pools.{name}.size near {cpus}",
            )


def _from_cgroup(*names: str) -> int | None:
    """Return a limit of this process's cgroup; None where there is none or it cannot be read."""
    for name in names:
        try:
            found = int((_CGROUP / name).read_text())
        except (OSError, ValueError):  # it is not there, or "max"
            continue
        if found < _UNLIMITED:
            return found
    return None


def _number(limit: int) -> str:
    return "unlimited" if limit == resource.RLIM_INFINITY else str(limit)
