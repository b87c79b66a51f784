"""Whether the kernel ran out of memory, and how much there was to run out of.

A SIGKILL tells nobody who sent it. The kernel counts the processes that it kills for want of
memory, in the control group of the process or, without one, in the whole system. Only where that
count rose is a death called probably out of memory.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pooldeck.small_files import read_small

_ROOT: Final = Path("/")
_MIB: Final = 1 << 20
_GIB: Final = 1 << 30


@dataclass(frozen=True)
class MemoryWatch:
    """Reads the kernel's account of memory: control groups of version 2, version 1, or none."""

    root: Path = _ROOT  # where `proc` and `sys` are

    def oom_kills(self) -> int | None:
        """Return how many processes the kernel has killed for want of memory, None if unknown.

        Counted in the own control group, or the nearest above it that counts; where none does, in
        the whole system.
        """
        for group in self._groups():
            for name in ("memory.events", "memory.oom_control"):
                if (count := _entry(group / name, "oom_kill")) is not None:
                    return count
        return _entry(self.root / "proc/vmstat", "oom_kill")

    def limit_bytes(self) -> int | None:
        """Return how much memory there is for this process, None if unknown.

        The least of the limits of its control group and of those above it, and of the machine's
        memory.
        """
        limits = [
            _number(group / name)
            for group in self._groups()
            for name in ("memory.max", "memory.limit_in_bytes")
        ]
        if (total := _entry(self.root / "proc/meminfo", "MemTotal:")) is not None:
            limits.append(total * 1024)
        return min((limit for limit in limits if limit is not None), default=None)

    def _groups(self) -> Iterator[Path]:
        """Yield the folder of the own control group for memory, then those above it.

        Inside a container the path may be the host's and not to be found; what is mounted is the
        container's own group then.
        """
        for mount, path in self._memberships():
            own = mount / path.lstrip("/")
            yield from (group for group in (own, *own.parents) if group.is_relative_to(mount))

    def _memberships(self) -> Iterator[tuple[Path, str]]:
        mounted = self.root / "sys/fs/cgroup"
        for line in _lines(self.root / "proc/self/cgroup"):
            _, controllers, path = line.split(":", 2)
            if not controllers:
                yield mounted, path
            elif "memory" in controllers.split(","):
                yield mounted / "memory", path


def out_of_memory(
    before: int | None,
    after: int | None,
    peak_rss_bytes: int,
    limit: int | None,
    *,
    is_own: bool = True,
) -> str | None:
    """Return the words for a death that was probably for want of memory, None for any other.

    `before` and `after` it, the kernel had killed so many; `limit` is how many bytes there were. If
    the peak is not its own, it had used less.
    """
    if before is None or after is None or after <= before:
        return None
    at_most = "" if is_own else "at most "
    return f"probably out of memory: {at_most}{_amount(peak_rss_bytes, limit)}"


def _amount(peak: int, limit: int | None) -> str:
    """Return "3.9 of 4.0 GiB", or in MiB where neither figure reaches a GiB."""
    unit, name, digits = _MIB, "MiB", 0
    if max(peak, limit or 0) >= _GIB:
        unit, name, digits = _GIB, "GiB", 1
    figures = [peak] if limit is None else [peak, limit]
    return f"{' of '.join(f'{figure / unit:.{digits}f}' for figure in figures)} {name}"


def _entry(path: Path, name: str) -> int | None:
    """Return the number that follows a name in a file of such lines, None if there is none."""
    for line in _lines(path):
        words = line.split()
        if len(words) > 1 and words[0] == name:
            return int(words[1])
    return None


def _number(path: Path) -> int | None:
    """Return the number that is all of a file, None if there is none, as in "max"."""
    words = "".join(_lines(path)).strip()
    return int(words) if words.isdigit() else None


def _lines(path: Path) -> list[str]:
    try:
        return os.fsdecode(read_small(str(path))).splitlines()
    except OSError:
        return []
