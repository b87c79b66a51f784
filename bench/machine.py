"""What the figures hold for: the machine, its software, and how busy it was before."""

import datetime as dt
import os
import platform
import sqlite3
from pathlib import Path

import psutil

from pooldeck.cpus import usable_cpus


def machine(folder: Path) -> dict[str, str]:
    """Return the words for each, with the file system that `folder` is on."""
    return {
        "at": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "python": f"Python {platform.python_version()}",
        "sqlite": f"SQLite {sqlite3.sqlite_version}",
        "system": platform.platform(terse=True),
        "cpus": f"{usable_cpus()} CPUs",
        "filesystem": f"data on {_filesystem(folder)}",
        "load": f"load before {os.getloadavg()[0]:.2f}",
    }


def _filesystem(folder: Path) -> str:
    """Return the type of the file system that `folder` is on."""
    mounts = {Path(mount.mountpoint): mount.fstype for mount in psutil.disk_partitions(all=True)}
    return next((mounts[place] for place in (folder, *folder.parents) if place in mounts), "?")
