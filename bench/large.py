"""`python -m bench.large`: a store with ten million finished tasks and one million that wait.

What `bench.large_store` measures, ten times as large; `--tasks` makes it smaller.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from bench import large_store
from bench.documents import write
from bench.figures import table
from bench.machine import machine
from bench.report import as_json, as_markdown
from bench.scale import Scale

_QUEUED_OF = 10
"""One task waits for so many that have ended."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the store, measure, and print what was found beside what is wanted."""
    given = _parser().parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="large-", dir=given.folder) as name:
        folder = Path(name).resolve()
        found_on = machine(folder)
        print(", ".join(found_on.values()), flush=True)
        queued = given.tasks // _QUEUED_OF
        scale = replace(Scale(folder), finished=given.tasks, queued=queued)
        figures = large_store.measure(scale)
    print(f"{given.tasks:,} finished tasks and {queued:,} that wait\n{table(figures)}")
    if given.json is not None:
        given.json.write_bytes(as_json(found_on, figures))
    if given.write is not None:
        write(given.write, "large", as_markdown(found_on, figures))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.large", description=__doc__)
    parser.add_argument(
        "--tasks",
        type=int,
        default=10_000_000,
        metavar="NUMBER",
        help="how many have ended; a tenth as many wait beside them [10000000]",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="a document whose table is brought up to date"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("build"),
        metavar="DIR",
        help="where to make it: a folder on a real disk with 10 GB of room [./build]",
    )
    return parser


if __name__ == "__main__":
    main()
