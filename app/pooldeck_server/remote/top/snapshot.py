"""The deck at one moment, as the terminal shows it: frozen, made of a frame of the stream."""

from collections.abc import Iterator
from typing import Any, Self

from msgspec import Struct


class PoolRow(Struct, frozen=True):
    """A pool; times are in seconds."""

    name: str
    state: str
    busy: int
    size: int
    queued: int
    oldest_wait: float | None
    per_second: float | None
    run_p95: float | None
    hosts: str | None = None  # how many are heard of, of how many; None: it has no hosts

    @classmethod
    def of(cls, pool: dict[str, Any]) -> Self:
        recent = pool["recent"] or {}
        return cls(
            pool["name"],
            pool["state"],
            pool["busy"],
            pool["slots"],
            pool["queued"],
            pool["oldest_wait"],
            recent.get("throughput"),
            recent.get("run_p95"),
            _hosts(pool["hosts"]),
        )


class RunningRow(Struct, frozen=True):
    """A task that runs; `elapsed` in seconds is that of the snapshot."""

    task: str
    function: str
    pool: str
    elapsed: float
    fraction: float | None
    is_late: bool
    is_abandoned: bool
    if_killed: str | None


class Snapshot(Struct, frozen=True):
    """What a frame says."""

    at: str
    pools: tuple[PoolRow, ...]
    running: tuple[RunningRow, ...]  # the longest first
    notices: tuple[str, ...]
    throughput: float  # per second
    failed: int  # and lost, in the last hour
    waiting: int  # queued in all pools

    @classmethod
    def of(cls, frame: dict[str, Any]) -> Self:
        pools = tuple(map(PoolRow.of, frame["pools"]))
        window = frame["window"]
        return cls(
            at=frame["at"],
            pools=pools,
            running=tuple(sorted(_running(frame), key=lambda row: (-row.elapsed, row.task))),
            notices=tuple(f"{each['subject']}: {each['text']}" for each in frame["notices"]),
            throughput=frame["throughput"],
            failed=window["failed"] + window["lost"],
            waiting=sum(pool.queued for pool in pools),
        )


class FailureRow(Struct, frozen=True):
    """Failures that are alike."""

    last_seen: str
    count: int
    function: str
    words: str

    @classmethod
    def of(cls, group: dict[str, Any]) -> Self:
        names = [each["function"] for each in group["functions"]]
        words = f"{group['type'] or group['kind']}: {group['message'] or ''}".removesuffix(": ")
        return cls(group["last_seen"], group["count"], names[0] if names else "", words)


def _hosts(hosts: list[dict[str, Any]] | None) -> str | None:
    if hosts is None:
        return None
    states = [host["state"] for host in hosts]
    heard_of = sum(state in {"attached", "draining"} for state in states)
    standing = heard_of + states.count("no_contact")
    return f"{heard_of}/{standing}"


def _running(frame: dict[str, Any]) -> Iterator[RunningRow]:
    for pool in frame["pools"]:
        for worker in pool["workers"]:
            for slot in worker["slots"]:
                if slot["task"] is not None:
                    yield RunningRow(
                        slot["task"],
                        slot["function"],
                        pool["name"],
                        slot["elapsed"] or 0.0,
                        slot["fraction"],
                        slot["is_late"],
                        slot["abandoned"],
                        slot["if_killed"],
                    )
