"""Lines of the screen, made of a snapshot and the state; each as wide as the terminal at most."""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from rich.cells import set_cell_size
from rich.text import Text

from pooldeck_server.domain.terminal_text import plain
from pooldeck_server.remote.formats import NOTHING, clock, counted, duration
from pooldeck_server.remote.top.snapshot import FailureRow, PoolRow, RunningRow, Snapshot
from pooldeck_server.remote.top.state import TopState, key_of

KEYS: Final = "q quit  ↑↓ move  p pause  r restart  k kill  Enter log  ? help"
_LOG_KEYS: Final = "q back  ↑↓ PgUp PgDn scroll  End the newest"
_HELP: Final = (
    ("q", "quit"),
    ("↑ ↓", "select a pool or a running task"),
    ("p", "pause the pool, or have it go on: nothing is handed out, what runs goes on"),
    ("r", "restart the pool: replaces its workers one by one, which loads new code"),
    ("k", "kill the running task; you are asked first"),
    ("Enter", "show the log of the running task"),
    ("?", "this; any key leaves it"),
)
_BAR: Final = 10  # characters
_SHORT: Final = 6  # of an id: its end
_STALE: Final = 5.0  # seconds after which a snapshot is no more what there is
_MOST_NOTICES: Final = 3
_MOST_FAILURES: Final = 4
_STATES: Final = {
    "broken": "bold red",
    "paused": "yellow",
    "draining": "yellow",
    "stopped": "yellow",
}
_GAP: Final = "  "
_POOLS: Final = ("POOL", "STATE", "SLOTS", "BUSY", "QUEUED", "OLDEST", "PER S", "RUN P95")
_HOSTS: Final = ("HOSTS",)  # heard of, of those that are not gone
_RUNNING: Final = ("FUNCTION", "TASK", "POOL", "FOR", "DONE", "")
_FROM_RIGHT: Final = {
    *("BUSY", "QUEUED", "OLDEST", "PER S", "RUN P95", "HOSTS", "FOR", "DONE"),
}


class Shown(Struct, frozen=True):
    """What there is to be seen, beside what is selected."""

    url: str
    snapshot: Snapshot | None
    age: float  # of the snapshot, in seconds
    failures: Sequence[FailureRow]
    trouble: str | None


def screen(shown: Shown, state: TopState, width: int, height: int) -> list[Text]:
    """Return as many lines as the terminal is high, or fewer."""
    if state.log is not None:
        lines = _log(state, height)
    elif state.has_help:
        lines = [Text("Keys", "bold"), *(Text(f"  {key:<7}{words}") for key, words in _HELP)]
    elif shown.snapshot is None:
        lines = [_head(shown), Text("waiting for the server to tell how it is …")]
    else:
        lines = _deck(shown, shown.snapshot, state, height)
    return [_cut(line, width) for line in lines[:height]]


def _deck(shown: Shown, snapshot: Snapshot, state: TopState, height: int) -> list[Text]:
    """Return the deck: what is above and below is there whole, and running tasks have the rest."""
    selected = None if (row := state.row(snapshot)) is None else key_of(row)
    top = [_head(shown), *_trouble(shown), *(_notices(snapshot))]
    bottom = [*_failures(shown.failures), _foot(state)]
    room = max(height - len(top) - len(bottom), 0)
    has_hosts = any(pool.hosts is not None for pool in snapshot.pools)
    head = (*_POOLS, *_HOSTS) if has_hosts else _POOLS
    rows = [(key_of(each), _pool(each, has_hosts=has_hosts)) for each in snapshot.pools]
    pools = _table(head, rows, selected)
    pools = _around(pools, selected, min(len(pools), max(room - 3, 2)))
    running = [(key_of(each), _task(each, shown.age)) for each in snapshot.running]
    title = _table(_RUNNING, running, selected)
    left = max(room - len(pools), 0)
    middle = [*_lines(pools), *_lines(_around(title, selected, left))]
    return [*top, *middle, *([Text()] * (room - len(middle))), *bottom]


def _head(shown: Shown) -> Text:
    snapshot = shown.snapshot
    if snapshot is None:
        return Text(f"pooldeck  {shown.url}", "bold")
    numbers = (
        f"{len(snapshot.running)} running  {snapshot.waiting:,} queued  "
        f"{snapshot.throughput:.3g}/s  {snapshot.failed:,} failed in 1 h"
    )
    return Text.assemble(("pooldeck", "bold"), f"  {shown.url}  {numbers}")


def _trouble(shown: Shown) -> list[Text]:
    """Say what is wrong with the stream, which has a frame each second even if nothing happens."""
    if shown.trouble is None and shown.age < _STALE:
        return []
    why = _one_line(shown.trouble or "the server does not answer")
    return [Text(f"! as it was {duration(shown.age)} ago; waiting: {why}", "bold red")]


def _notices(snapshot: Snapshot) -> list[Text]:
    notices = [_one_line(each) for each in snapshot.notices]
    lines = [Text(f"! {each}", "yellow") for each in notices[:_MOST_NOTICES]]
    if more := len(notices) - len(lines):
        lines[-1] = Text(f"! and {counted(more + 1, 'notice')} more: pooldeck open", "yellow")
    return lines


def _pool(pool: PoolRow, *, has_hosts: bool) -> tuple[tuple[str, str], ...]:
    full = round(_BAR * min(pool.busy / pool.size, 1)) if pool.size else 0
    return (
        (pool.name, ""),
        (pool.state, _STATES.get(pool.state, "green")),
        (f"{'#' * full}{'.' * (_BAR - full)}", "cyan"),
        (f"{pool.busy}/{pool.size}", ""),
        (f"{pool.queued:,}", ""),
        (duration(pool.oldest_wait), ""),
        (NOTHING if pool.per_second is None else f"{pool.per_second:.3g}", ""),
        (duration(pool.run_p95), ""),
        *([(pool.hosts or NOTHING, _hosts_style(pool.hosts))] if has_hosts else ()),
    )


def _hosts_style(hosts: str | None) -> str:
    """Return how it is drawn that a pool has hosts: in red if it has none, or misses one."""
    if hosts is None:
        return "dim"
    heard_of, _, standing = hosts.partition("/")
    return "" if heard_of == standing != "0" else "bold red"


def _task(row: RunningRow, age: float) -> tuple[tuple[str, str], ...]:
    note = "abandoned" if row.is_abandoned else "longer than usual" if row.is_late else ""
    return (
        (row.function, ""),
        (row.task[-_SHORT:], "dim"),
        (row.pool, ""),
        (duration(row.elapsed + age), "yellow" if row.is_late else ""),
        ("" if row.fraction is None else f"{row.fraction:.0%}", ""),
        (note, "yellow"),
    )


def _failures(failures: Sequence[FailureRow]) -> list[Text]:
    lines = [
        Text.assemble(
            (clock(each.last_seen).partition(".")[0], "dim"),
            f" {_one_line(each.function)} ",
            (_one_line(each.words), "red"),
            f" {each.count:,} times" if each.count > 1 else "",
        )
        for each in failures[:_MOST_FAILURES]
    ]
    return [Text("LAST FAILURES", "dim"), *lines] if lines else []


def _foot(state: TopState) -> Text:
    if state.question is not None:
        return Text(f"{state.question.words} y/N", "bold")
    return Text(state.message, "bold") if state.message else Text(KEYS, "dim")


# A table: a head, and rows with the keys by which they are selected.

_Row = tuple[str | None, Text]


def _table(
    head: Sequence[str],
    rows: Iterable[tuple[str, tuple[tuple[str, str], ...]]],
    selected: str | None,
) -> list[_Row]:
    known = [(key, [(_one_line(text), style) for text, style in cells]) for key, cells in rows]
    columns = zip(head, *([text for text, _ in cells] for _, cells in known), strict=True)
    widths = [max(Text(cell).cell_len for cell in column) for column in columns]
    lines: list[_Row] = [(None, _joined(head, widths, [(title, "dim") for title in head]))]
    for key, cells in known:
        line = _joined(head, widths, cells)
        if key == selected:
            line = Text(f">{line.plain[1:]}", "reverse")
        lines.append((key, line))
    return lines


def _joined(head: Sequence[str], widths: Sequence[int], cells: Sequence[tuple[str, str]]) -> Text:
    line = Text(" ")
    for title, width, (text, style) in zip(head, widths, cells, strict=True):
        cell = text.rjust(width) if title in _FROM_RIGHT else set_cell_size(text, width)
        line.append(cell, style).append(_GAP)
    return line


def _around(rows: list[_Row], selected: str | None, room: int) -> list[_Row]:
    """Return as many rows as there is room for: the head, and those around the selected one."""
    if len(rows) <= room or room < 1:
        return rows[:room]
    keys = [key for key, _ in rows]
    at = keys.index(selected) if selected in keys else 0
    first = min(max(at - room // 2, 1), len(rows) - room + 1)
    head = rows[0][1].copy()
    head.append(f"({len(rows) - room} more)", "dim")
    return [(None, head), *rows[first : first + room - 1]]


def _lines(rows: Iterable[_Row]) -> list[Text]:
    return [line for _, line in rows]


def _log(state: TopState, height: int) -> list[Text]:
    """Return the log that is looked at, from its end upwards."""
    assert state.log is not None  # noqa: S101  (the caller has looked)
    room = max(height - 2, 1)
    lines = list(state.log.lines)
    state.offset = min(state.offset, max(len(lines) - room, 0))
    end = len(lines) - state.offset
    seen = [
        Text(" ".join(plain(line).expandtabs().splitlines()))
        for line in lines[max(end - room, 0) : end]
    ]
    if not lines:
        seen = [Text("it has said nothing", "dim")]
    padding = [Text()] * (room - len(seen))
    return [Text(_one_line(state.log.title), "bold"), *seen, *padding, Text(_LOG_KEYS, "dim")]


def _one_line(text: str) -> str:
    return " ".join(plain(text).split())


def _cut(line: Text, width: int) -> Text:
    cut = line.copy()
    cut.truncate(width, overflow="crop")
    return cut
