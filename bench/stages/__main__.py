"""`python -m bench.stages`: where the time of a task goes, as a table that may be written down."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.documents import write
from bench.machine import machine
from bench.scale import Scale, quick
from bench.stages.profile import profiles, text


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure; print the table, and write it into a document if `arguments` name one."""
    parser = argparse.ArgumentParser(prog="python -m bench.stages", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer tasks")
    parser.add_argument("--write", type=Path, metavar="FILE", help="the document to write it into")
    parser.add_argument("--folder", type=Path, default=Path("build"), metavar="DIR")
    given = parser.parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="stages-", dir=given.folder) as name:
        folder = Path(name).resolve()
        found_on = ", ".join(machine(folder).values())
        made = f"{text(profiles(quick(folder) if given.quick else Scale(folder)))}\n\n{found_on}"
    print(made)
    if given.write is not None:
        write(given.write, "stages", made)


if __name__ == "__main__":
    main()
