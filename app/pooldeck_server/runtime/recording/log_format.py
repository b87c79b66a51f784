"""How a record of the log file looks: one line, as text for people or as JSON for programs."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Literal

import msgspec
from msgspec import Struct


class Origin(Struct, frozen=True):
    """Whose words they are: an attempt of a task, and where it runs, or a worker's own."""

    pool: str
    worker: str
    task: str | None = None
    attempt: int | None = None
    function: str | None = None


class LogRecord(Struct, frozen=True):
    """One record; `at` is in seconds since the epoch. Without an origin it is the server's own.

    That may be about something, as `domain.log_subjects.about` has it, and have a traceback.
    """

    at: float
    level: str
    source: str
    message: str
    origin: Origin | None
    about: Mapping[str, object] = {}
    traceback: str | None = None


_SERVER: Final = "server"
_NO_MOMENT: Final = "-"
_CONTROL: Final = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
ESCAPES: Final = {code: chr(code).encode("unicode_escape").decode() for code in _CONTROL}
"""For `str.translate`: what a terminal would obey, or a reader would take for the end of a line."""

_to_json = msgspec.json.Encoder(enc_hook=str).encode


def formatter(name: Literal["text", "json"]) -> Callable[[LogRecord], bytes]:
    return _as_json if name == "json" else _as_text


def _as_text(record: LogRecord) -> bytes:
    """Return TIME LEVEL POOL WORKER TASK/ATTEMPT FUNCTION SOURCE: MESSAGE.

    Control characters are escaped: they could start a line, or a sequence that a terminal obeys.
    """
    origin = record.origin
    where = f"{_SERVER} - - -"
    if origin is not None:
        where = f"{origin.pool} {origin.worker} {_whose(origin)}"
    line = f"{utc(record.at)} {record.level} {where} {record.source}: {record.message}"
    if record.traceback is not None:
        line += f"\n{record.traceback}"
    return line.translate(ESCAPES).encode("utf-8", "backslashreplace") + b"\n"


def _as_json(record: LogRecord) -> bytes:
    fields: dict[str, object] = {"time": exact_utc(record.at), "level": record.level}
    if record.origin is not None:
        known = msgspec.structs.asdict(record.origin)
        fields |= {name: value for name, value in known.items() if value is not None}
    said = {"source": record.source, "message": record.message}
    if record.traceback is not None:
        said["traceback"] = record.traceback
    return _to_json({**fields, **record.about, **fields, **said}) + b"\n"


def _whose(origin: Origin) -> str:
    return f"{origin.task}/{origin.attempt} {origin.function}" if origin.task else "- -"


def utc(at: float) -> str:
    """Return a moment, in seconds since the epoch, as it stands in logs; "-" if it is none."""
    exact = exact_utc(at)
    return exact if exact == _NO_MOMENT else f"{exact[:-4]}Z"


def exact_utc(at: float) -> str:
    """Return it as it stands in logs for programs, with its microseconds."""
    try:
        moment = datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):  # a task has put its own clock in place
        return _NO_MOMENT
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
