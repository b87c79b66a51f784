"""Looks at the machine under the server: its CPUs, and how much they are wanted.

A look reads small files of the kernel and takes a fifth of a millisecond, so nothing is kept.
"""

import os
from pathlib import Path
from typing import Final

from pooldeck.cpus import affinity, quota, usable_cpus
from pooldeck_server.domain.pools.sizes import CpuPressure, Machine

_PRESSURE: Final = Path("/proc/pressure/cpu")


def machine() -> Machine:
    return Machine(
        cpus=usable_cpus(), affinity=affinity(), quota=quota(), pressure=_pressure(), load=_load()
    )


def pressure_in(text: str) -> CpuPressure | None:
    """Return what the kernel says in `/proc/pressure/cpu`, None where that cannot be read.

    The line `some` counts the time in which at least one task waited for a CPU. See the kernel's
    documentation of pressure stall information (accounting/psi).
    """
    for line in text.splitlines():
        kind, *parts = line.split()
        if kind == "some":
            return _shares(dict(part.split("=", 1) for part in parts if "=" in part))
    return None


def _shares(values: dict[str, str]) -> CpuPressure | None:
    try:
        avg10, avg60, avg300 = (float(values[name]) / 100 for name in ("avg10", "avg60", "avg300"))
    except (KeyError, ValueError):
        return None
    return CpuPressure(avg10, avg60, avg300)


def _pressure() -> CpuPressure | None:
    try:
        return pressure_in(_PRESSURE.read_text())
    except OSError:  # another system, an older kernel, or one that was told not to measure it
        return None


def _load() -> tuple[float, float, float] | None:
    try:
        return os.getloadavg()
    except (AttributeError, OSError):
        return None
