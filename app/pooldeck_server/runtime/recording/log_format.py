"""How a record of the log file looks: one line, as text for people or as JSON for programs."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec
from msgspec import Struct


class Origin(Struct, frozen=True):
    """Whose words they are: an attempt of a task, and where it runs."""

    pool: str
    worker: str
    task: str
    attempt: int
    function: str


class LogRecord(Struct, frozen=True, gc=False):
    """One record; `at` is in seconds since the epoch. Without an origin it is the server's own."""

    at: float
    level: str
    source: str
    message: str
    origin: Origin | None


_SERVER: Final = "server"
_CONTROL: Final = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
_ESCAPES: Final = {code: chr(code).encode("unicode_escape").decode() for code in _CONTROL}
_to_json = msgspec.json.Encoder().encode


def formatter(name: Literal["text", "json"]) -> Callable[[LogRecord], bytes]:
    return _as_json if name == "json" else _as_text


def _as_text(record: LogRecord) -> bytes:
    """Return TIME LEVEL POOL WORKER TASK/ATTEMPT FUNCTION SOURCE: MESSAGE.

    Control characters are escaped: they could start a line, or a sequence that a terminal obeys.
    """
    origin = record.origin
    where = f"{_SERVER} - - -"
    if origin is not None:
        where = f"{origin.pool} {origin.worker} {origin.task}/{origin.attempt} {origin.function}"
    line = f"{_time(record.at)} {record.level} {where} {record.source}: {record.message}"
    return line.translate(_ESCAPES).encode("utf-8", "backslashreplace") + b"\n"


def _as_json(record: LogRecord) -> bytes:
    fields: dict[str, object] = {"time": _time(record.at), "level": record.level}
    if record.origin is not None:
        fields |= msgspec.structs.asdict(record.origin)
    return _to_json(fields | {"source": record.source, "message": record.message}) + b"\n"


def _time(at: float) -> str:
    try:
        moment = datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):  # a task has put its own clock in place
        return "-"
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
