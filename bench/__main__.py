"""`python -m bench`: measures, and prints what was found beside what is wanted."""

import argparse
import datetime as dt
import os
import platform
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import msgspec
import psutil

from bench import (
    batches,
    browser,
    crash,
    dashboards,
    gil,
    idle,
    large_store,
    latency,
    recovery,
    requests,
)
from bench.figures import Figure, table
from bench.scale import Scale, quick
from pooldeck.cpus import usable_cpus

_MEASUREMENTS: dict[str, ModuleType] = {
    "batches": batches,
    "requests": requests,
    "latency": latency,
    "large-store": large_store,
    "idle": idle,
    "dashboards": dashboards,
    "browser": browser,
    "gil": gil,
    "crash": crash,
    "recovery": recovery,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Carry out the measurements that `arguments` (default: those of the process) ask for."""
    given = _parser().parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=given.folder) as name:
        folder = Path(name).resolve()
        machine = _machine(folder)
        print(", ".join(machine.values()))
        figures = _measure(given.only, quick(folder) if given.quick else Scale(folder))
    if given.json is not None:
        given.json.write_bytes(_as_json(machine, figures))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, one round")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=_MEASUREMENTS,
        default=list(_MEASUREMENTS),
        metavar="NAME",
        help=f"some of: {', '.join(_MEASUREMENTS)}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("build"),
        metavar="DIR",
        help="where to make the databases: a folder on a real disk [./build]",
    )
    return parser


def _measure(names: Sequence[str], scale: Scale) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        measure: Callable[[Scale], list[Figure]] = _MEASUREMENTS[name].measure
        began = time.monotonic()
        found = measure(scale)
        print(f"\n{name} ({time.monotonic() - began:.0f} s)\n{table(found)}", flush=True)
        figures += found
    return figures


def _machine(folder: Path) -> dict[str, str]:
    """Return what the figures hold for."""
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


def _as_json(machine: dict[str, str], figures: list[Figure]) -> bytes:
    report = {"machine": machine, "figures": figures}
    return msgspec.json.format(msgspec.json.encode(report)) + b"\n"


if __name__ == "__main__":
    main()
