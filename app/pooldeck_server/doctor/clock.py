"""Whether the clock can be right: against the newest task, and whether anything keeps it."""

import ctypes
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pooldeck_server.doctor.findings import CheckResult, look, ok, wrong
from pooldeck_server.doctor.reading import Unreadable, reading

_TOPIC: Final = "clock"
_LEEWAY: Final = 5.0  # seconds
_YEAR_2024: Final = 1_704_067_200  # seconds since the epoch: no version of this is older
_UNSYNCHRONISED: Final = 0x40  # STA_UNSYNC of adjtimex(2)
_STATUS_AT: Final = 40  # bytes into its struct, on 64 bits
_STRUCT_BYTES: Final = 208
_NTP: Final = "turn on time synchronisation, such as by `timedatectl set-ntp true` or chrony"


def look_at(database: Path) -> Iterator[CheckResult]:
    """Compare the clock with the newest task, and ask the kernel whether it is kept."""
    now = time.time()
    if now < _YEAR_2024:
        yield wrong(_TOPIC, f"the clock says {_utc(now)}, which is long ago", _NTP)
    newest = _newest(database)
    if newest is not None and newest - now > _LEEWAY:
        yield wrong(
            _TOPIC,
            f"the clock says {_utc(now)}; the newest task is from {_utc(newest)}: it was set back",
            "set it right before the server starts, or waits and ages are wrong until it has "
            f"caught up; then {_NTP}",
        )
    else:
        yield ok(_TOPIC, _utc(now))
    if _is_kept() is False:
        yield look(_TOPIC, "the kernel says that nothing keeps the clock", _NTP)


def _newest(database: Path) -> float | None:
    """Return when the newest task was submitted, in seconds since the epoch; None if unknown."""
    try:
        with reading(database) as connection:
            row = connection.execute(
                "SELECT created_at FROM tasks ORDER BY seq DESC LIMIT 1"
            ).fetchone()
    except Unreadable:
        return None  # the database has a finding of its own
    return None if row is None else float(row[0]) / 1e6


def _is_kept() -> bool | None:
    """Tell whether something keeps the clock; None where the kernel does not say."""
    if sys.platform != "linux" or ctypes.sizeof(ctypes.c_void_p) != 8:  # noqa: PLR2004 - bytes
        return None
    if Path("/run/systemd/timesync/synchronized").exists():
        return True
    state = ctypes.create_string_buffer(_STRUCT_BYTES)  # modes are 0: it only reads
    try:
        if ctypes.CDLL(None).adjtimex(state) < 0:
            return None
    except (OSError, AttributeError):
        return None
    status = int.from_bytes(state.raw[_STATUS_AT : _STATUS_AT + 4], sys.byteorder)
    return not status & _UNSYNCHRONISED


def _utc(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
