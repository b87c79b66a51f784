"""The CPUs that this process may use, which can be fewer than the machine has."""

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def usable_cpus() -> int:
    """Return the CPUs that this process may use, at least 1.

    The smaller of the scheduler's affinity mask and the cgroup's quota (version 2 `cpu.max`,
    version 1 `cpu.cfs_quota_us`), rounded up. `os.cpu_count()` ignores both inside containers.
    """
    count, limit = affinity(), quota()
    return max(1, count if limit is None else min(count, math.ceil(limit)))


def affinity() -> int:
    """Return the CPUs that the scheduler may put this process on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def quota() -> float | None:
    """Return how many CPUs' time this process's cgroup may use, None where that is not limited."""
    try:
        most, period = (_CGROUP / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return _version_1_quota()
    return None if most == "max" else int(most) / int(period)


def _version_1_quota() -> float | None:
    try:
        most = int((_CGROUP / "cpu/cpu.cfs_quota_us").read_text())
        period = int((_CGROUP / "cpu/cpu.cfs_period_us").read_text())
    except (OSError, ValueError):
        return None
    return most / period if most > 0 and period > 0 else None
