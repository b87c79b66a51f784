"""Measures each stage, of tasks in batches and of tasks one by one."""

import signal
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Final

import msgspec
import psutil
from msgspec import Struct

from bench import batches
from bench.batches import NOOP
from bench.documents import table
from bench.figures import Figure
from bench.load import Plan, generate, post
from bench.processes import Pooldeck, pooldeck, wait_until
from bench.scale import Scale
from bench.stages.parts import MEANINGS, RUN, STAGES
from bench.stages.server import COUNTED, Counted, MissingPartError
from bench.stages.stopwatch import Taken

_CONNECTIONS: Final = 16
_LONGEST: Final = 120.0  # seconds
_LOOP: Final = "MainThread"
_WRITER: Final = "recorder"


class Cost(Struct, frozen=True):
    """What a stage takes of each task, in µs."""

    cpu: float
    wall: float


class Profile(Struct, frozen=True):
    """What each stage takes, and what no stage has: of the event loop, the writer, and the rest.

    `server` is the CPU of a server without stopwatches under the same load, in µs a task.
    """

    stages: dict[str, Cost]
    besides: dict[str, float]
    server: float


def measure(scale: Scale) -> list[Figure]:
    """Measure tasks in batches of 1,000, and one by one over 16 connections."""
    return [figure for way, found in profiles(scale).items() for figure in _figures(way, found)]


def _figures(way: str, found: Profile) -> list[Figure]:
    cpus = {stage: cost.cpu for stage, cost in found.stages.items()} | found.besides
    cpus["the server without stopwatches"] = found.server
    commit = found.stages["commit"].wall
    return [
        *(Figure(f"{way}: {name}", cpu, "µs CPU") for name, cpu in cpus.items()),
        Figure(f"{way}: commit, with the sync", commit, "µs wall"),
    ]


def profiles(scale: Scale) -> dict[str, Profile]:
    """Return the profile of each way to submit.

    Raises:
        MissingPartError: If a part of a stage is not there, or no task came by it.
    """
    loads: dict[str, tuple[int, Callable[[Pooldeck, int], object]]] = {
        "in batches": (scale.batch_tasks, batches.rate),
        "one by one": (scale.requests, _one_by_one),
    }
    with pooldeck(scale.folder / "plain") as server:
        plain = {way: _cpu(server, load, tasks) for way, (tasks, load) in loads.items()}
    folder = scale.folder / "stages"
    with pooldeck(folder, module="bench.stages.server") as server:
        found = {way: _profile(server, *load, plain[way]) for way, load in loads.items()}
        _check_all_were_met(_counted(server))
    return found


def text(found: Mapping[str, Profile]) -> str:
    """Return the profiles as a table for the documentation."""
    ways = list(found)
    head = ["stage", *(f"{way}, µs" for way in ways), "what it is"]
    rows = [
        [stage, *(_both(found[way].stages[stage]) for way in ways), meaning]
        for stage, meaning in MEANINGS.items()
    ]
    rows += [
        [name, *(f"{found[way].besides[name]:.1f}" for way in ways), ""]
        for name in found[ways[0]].besides
    ]
    whole = [f"{found[way].server:.0f}" for way in ways]
    return table(head, [*rows, ["the server without stopwatches", *whole, "all of its CPU"]])


def _both(cost: Cost) -> str:
    return f"{cost.cpu:.1f}" if cost.wall < 2 * cost.cpu else f"{cost.cpu:.1f} ({cost.wall:.1f})"


def _one_by_one(server: Pooldeck, count: int) -> None:
    """Submit tasks that run, each with a request, and wait until they have."""
    wanted = server.record.number("succeeded", NOOP) + count
    plan = Plan(server.port, [post("/api/v1/tasks", {"function": NOOP})], count, _CONNECTIONS)
    generate(plan, wanted=[202])
    wait_until(lambda: server.record.number("succeeded", NOOP) == wanted, _LONGEST)


def _cpu(server: Pooldeck, load: Callable[[Pooldeck, int], object], tasks: int) -> float:
    """Return the µs of CPU that a server takes for each task."""
    load(server, tasks // 4)  # the first tasks find cold caches
    before = server.cpu_seconds()
    load(server, tasks)
    return 1e6 * (server.cpu_seconds() - before) / tasks


def _profile(
    server: Pooldeck, tasks: int, load: Callable[[Pooldeck, int], object], plain: float
) -> Profile:
    load(server, tasks // 4)
    workers = _workers(server)
    before, run = _counted(server), sum(map(_cpu_seconds, workers))
    load(server, tasks)
    after, run = _counted(server), sum(map(_cpu_seconds, workers)) - run
    parts = _between(before, after)
    stages = {
        stage: Cost(
            sum(parts[part].cpu for part in names) / tasks / 1000,
            sum(parts[part].wall for part in names) / tasks / 1000,
        )
        for stage, names in STAGES.items()
    }
    stages[RUN] = Cost(1e6 * run / tasks, 0)
    ordered = {stage: stages[stage] for stage in MEANINGS}
    return Profile(ordered, _besides(before, after, tasks), plain)


def _between(before: Counted, after: Counted) -> dict[str, Taken]:
    """Return what each part has taken meanwhile in all threads, without its stopwatches."""
    sums: defaultdict[str, Taken] = defaultdict(Taken)
    for thread in after.taken:
        for part, taken in _in_thread(thread, before, after).items():
            sums[part] = Taken(*map(sum, zip(sums[part], taken, strict=True)))
    return sums


def _in_thread(thread: str, before: Counted, after: Counted) -> dict[str, Taken]:
    """Return what each part has taken meanwhile in a thread, without its stopwatches."""
    earlier = before.taken.get(thread, {})
    overhead = after.overhead
    found = {}
    for part, taken in after.taken.get(thread, {}).items():
        calls, cpu, wall, inner = (
            now - then for now, then in zip(taken, earlier.get(part, Taken()), strict=True)
        )
        added = round(calls * overhead.own + inner * overhead.outer)
        found[part] = Taken(calls, max(0, cpu - added), max(0, wall - added), inner)
    return found


def _besides(before: Counted, after: Counted, tasks: int) -> dict[str, float]:
    """Return the CPU that no part has, in µs a task."""
    sums = {"the event loop, besides": 0.0, "the writer, besides": 0.0, "other threads": 0.0}
    names = {_LOOP: "the event loop, besides", _WRITER: "the writer, besides"}
    for thread, cpu in after.cpu.items():
        in_all = cpu - before.cpu.get(thread, 0)
        calls = after.outermost.get(thread, 0) - before.outermost.get(thread, 0)
        timed = sum(taken.cpu for taken in _in_thread(thread, before, after).values())
        watches = sum(
            calls * after.overhead.own + inner * after.overhead.outer
            for calls, _, _, inner in _in_thread(thread, before, after).values()
        )
        rest = in_all - timed - watches - calls * after.overhead.outer
        sums[names.get(thread, "other threads")] += max(0.0, rest) / tasks / 1000
    return sums


def _workers(server: Pooldeck) -> list[psutil.Process]:
    pool = server.get("/api/v1/pools/cpu")
    return [psutil.Process(worker["pid"]) for worker in pool["workers"]]


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _counted(server: Pooldeck) -> Counted:
    """Ask a server what its stopwatches have counted."""
    file = server.folder / COUNTED
    file.unlink(missing_ok=True)
    server.process.send_signal(signal.SIGUSR2)
    wait_until(file.exists, _LONGEST)
    return msgspec.json.decode(file.read_bytes(), type=Counted)


def _check_all_were_met(counted: Counted) -> None:
    met = {part for parts in counted.taken.values() for part in parts}
    for stage, parts in STAGES.items():
        if missed := sorted(set(parts) - met):
            raise MissingPartError(
                f'no task came by {", ".join(missed)} of the stage "{stage}": '
                "name where they go now in bench/stages/parts.py"
            )
