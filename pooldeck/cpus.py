"""How many CPUs this process may use, which is not how many the machine has."""

import math
import os
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def usable_cpus() -> int:
    """Return the CPUs that this process may use, at least 1.

    The smaller of the scheduler's affinity mask and the cgroup's quota (version 2 `cpu.max`,
    version 1 `cpu.cfs_quota_us`), rounded up. `os.cpu_count()` ignores both inside containers.
    """
    count = _affinity()
    quota = _cgroup_quota()
    return max(1, count if quota is None else min(count, math.ceil(quota)))


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cgroup_quota() -> float | None:
    """Return the quota in CPUs, or None where there is none."""
    try:
        quota, period = (_CGROUP / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return _cgroup_v1_quota()
    return None if quota == "max" else int(quota) / int(period)


def _cgroup_v1_quota() -> float | None:
    try:
        quota = int((_CGROUP / "cpu/cpu.cfs_quota_us").read_text())
        period = int((_CGROUP / "cpu/cpu.cfs_period_us").read_text())
    except (OSError, ValueError):
        return None
    return quota / period if quota > 0 and period > 0 else None
