"""`python -m bench`: measures, and prints what was found beside what is wanted."""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

from bench import (
    access,
    backup,
    batches,
    box,
    browser,
    clients,
    crash,
    dashboards,
    experiments,
    gil,
    hosts,
    idle,
    large_store,
    latency,
    one_connection,
    recovery,
    requests,
    retention,
    shared_state,
    start,
)
from bench.documents import write
from bench.figures import Figure, table
from bench.machine import machine
from bench.report import as_json, as_markdown
from bench.scale import Scale, quick
from bench.stages import profile

MEASUREMENTS: dict[str, ModuleType] = {
    "batches": batches,
    "requests": requests,
    "clients": clients,
    "one-connection": one_connection,
    "latency": latency,
    "large-store": large_store,
    "idle": idle,
    "start": start,
    "dashboards": dashboards,
    "browser": browser,
    "gil": gil,
    "hosts": hosts,
    "crash": crash,
    "recovery": recovery,
    "experiments": experiments,
    "shared": shared_state,
    "retention": retention,
    "backup": backup,
    "access": access,
    "stages": profile,
    "box": box,
}
_ELSEWHERE = {"stages"}
"""What has a table of another kind: `python -m bench.stages --write` brings it up to date."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Carry out the measurements that `arguments` (default: those of the process) ask for."""
    given = _parser().parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=given.folder) as name:
        folder = Path(name).resolve()
        found_on = machine(folder)
        print(", ".join(found_on.values()))
        found = _measure(given.only, quick(folder) if given.quick else Scale(folder))
    if given.json is not None:
        figures = [figure for each in found.values() for figure in each]
        given.json.write_bytes(as_json(found_on, figures))
    if given.write is not None:
        for name, figures in found.items():
            if figures and name not in _ELSEWHERE:
                write(given.write, name, as_markdown(found_on, figures))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, one round")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=MEASUREMENTS,
        default=list(MEASUREMENTS),
        metavar="NAME",
        help=f"some of: {', '.join(MEASUREMENTS)}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="a document whose tables, one for each measurement, are to be brought up to date",
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("build"),
        metavar="DIR",
        help="where to make the databases: a folder on a real disk [./build]",
    )
    return parser


def _measure(names: Sequence[str], scale: Scale) -> dict[str, list[Figure]]:
    """Return the figures of each measurement."""
    figures: dict[str, list[Figure]] = {}
    for name in names:
        measure: Callable[[Scale], list[Figure]] = MEASUREMENTS[name].measure
        began = time.monotonic()
        found = measure(scale)
        print(f"\n{name} ({time.monotonic() - began:.0f} s)\n{table(found)}", flush=True)
        figures[name] = found
    return figures


if __name__ == "__main__":
    main()
