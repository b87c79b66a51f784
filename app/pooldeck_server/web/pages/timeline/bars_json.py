"""The timeline's data as the browser draws it: names once, bars as short rows of numbers."""

from collections.abc import Sequence
from typing import Any, Final

from pooldeck_server.domain.clock import span
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.tasks.timeline import Bar, Slot, TimelineRequest, slots_of
from pooldeck_server.web.pages.timeline.data import TimelineData
from pooldeck_server.web.pages.timeline.view import limits, look
from pooldeck_server.web.text.i18n import _, later

_KINDS: Final = {
    "start": later("the server started"),
    "resize": later("resized"),
    "pause": later("paused"),
    "resume": later("resumed"),
    "drain": later("drained"),
    "restart": later("workers restarted"),
    "kill_worker": later("worker killed by hand"),
    "drain_host": later("host drained by hand"),
    "end_host": later("host ended by hand"),
    "host_came": later("host attached"),
    "host_gone": later("host gone"),
    "kill_task": later("task killed by hand"),
    "crash": later("crashed"),
    "hold": later("put on hold"),
    "release": later("released"),
    "pause_function": later("function paused"),
    "resume_function": later("function resumed"),
    "broken": later("broken"),
    "placed": later("function placed"),
    "shared_lost": later("shared state lost"),
    "restored": later("backup settled"),
    "server_drain": later("the server was drained"),
    "server_resume": later("the server was resumed"),
}


class _Names:
    """Values that stand for themselves once, and by their number after that."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def number(self, value: Any) -> int:
        return self._numbers.setdefault(value, len(self._numbers))

    def all(self) -> list[Any]:
        return list(self._numbers)


def timeline_json(
    read: TimelineData, pools: Sequence[PoolHealth], request: TimelineRequest, now: int
) -> dict[str, Any]:
    """Return what the browser draws.

    Times are in microseconds: those of bars since "base", all others since the epoch. "present"
    are the slots that there are, if the stretch reaches the present: an idle one has a row too.
    """
    slots, functions, looks = _Names(), _Names(), _Names()
    present = [
        slots.number(slot)
        for slot, inside in slots_of(pools)
        if not inside.abandoned and request.pool in {None, slot.pool} and request.until >= now
    ]
    base = request.since
    return {
        "now": now,
        "base": base,
        "from": request.since,
        "to": request.until,
        "complete_from": read.timeline.complete_from,
        "limits": limits(request, read.timeline),
        "pools": [pool.name for pool in pools],
        "present": present,
        "bars": [_row(bar, base, slots, functions, looks) for bar in read.timeline.bars],
        "slots": slots.all(),
        "functions": functions.all(),
        "looks": looks.all(),
        "annotations": [_mark(annotation) for annotation in read.annotations],
    }


def _row(bar: Bar, base: int, slots: _Names, functions: _Names, looks: _Names) -> list[Any]:
    """Return a bar as the browser reads it: static/js/timeline_data.js names the places."""
    overhead = bar.overhead
    return [
        bar.task,
        bar.attempt,
        slots.number(Slot(bar.pool, bar.worker, bar.thread)),
        functions.number(bar.function),
        looks.number(look(bar)),
        bar.started_at - base,
        None if bar.finished_at is None else bar.finished_at - base,
        None if bar.recorded_at is None else bar.recorded_at - base,
        _microseconds(bar.queued_seconds),
        _microseconds(bar.cpu_seconds),
        _microseconds(overhead.decode) if overhead else None,
        _microseconds(overhead.encode) if overhead else None,
    ]


def _microseconds(seconds: float | None) -> int | None:
    return None if seconds is None else span(seconds)


def _mark(annotation: StoredAnnotation) -> dict[str, Any]:
    about = " ".join(filter(None, (annotation.pool, annotation.subject)))
    words = _(_KINDS[annotation.kind])
    said = f"{about}: {words}" if about else words
    return {
        "at": annotation.at,
        "kind": annotation.kind,
        "words": f"{said} ({annotation.reason})" if annotation.reason else said,
    }
