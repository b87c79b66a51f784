"""`python -m bench.choosing`: tries the advice, prints what was found, and may write it down."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.choosing import gains, mixed, page, verdicts
from bench.choosing.cases import Case, cases
from bench.choosing.claims import CLAIMS, show
from bench.choosing.material import material
from bench.documents import write
from bench.machine import machine

_PARTS = ("verdicts", "mixed", "claims")


def main(arguments: Sequence[str] | None = None) -> None:
    """Try what `arguments` (default: those of the process) ask for."""
    given = _parser().parse_args(arguments)
    given.folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="choosing-", dir=given.folder) as name,
        material(Path(name).resolve() / "material") as made_of,
    ):
        folder = Path(name).resolve()
        chosen = [case for case in cases(made_of) if not given.only or case.function in given.only]
        found, found_on = {}, ", ".join(machine(folder).values())
        if "verdicts" in given.parts:
            found["verdicts"] = f"{_verdicts(chosen, folder)}\n\n{found_on}"
        if "mixed" in given.parts:
            found["mixed"] = f"{page.mixed_table(mixed.measure(chosen, folder))}\n\n{found_on}"
    if "claims" in given.parts:
        found["machine"] = found_on
        found |= {f"claim {name}": f"```text\n{show(name)}\n```" for name in CLAIMS}
    for part, text in found.items():
        print(f"{part}\n{text}\n", flush=True)
        if given.write is not None:
            write(given.write, part, text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.choosing", description=__doc__)
    parser.add_argument(
        "--parts", nargs="+", choices=_PARTS, default=_PARTS, metavar="PART", help=f"of {_PARTS}"
    )
    parser.add_argument("--only", nargs="+", metavar="FUNCTION", help="some of the functions")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="the document to write the tables into"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        default=Path("build"),
        metavar="DIR",
        help="where to make the databases: a folder on a real disk [./build]",
    )
    return parser


def _verdicts(chosen: Sequence[Case], folder: Path) -> str:
    said = []
    for verdict in verdicts.measure(chosen, folder):
        print(_line(verdict), flush=True)
        said.append(verdict)
    return page.verdict_table(chosen, said, list(gains.measure(chosen, folder)))


def _line(found: verdicts.Verdict) -> str:
    """Return one line about a verdict, with its evidence where it is wrong."""
    right = "right" if found.is_right else f"WRONG {found.evidence}"
    return (
        f"{found.way.title:<27}{found.case.function:<20}{found.verdict:<20}"
        f"{found.kind or '-':<9}{found.confidence:<8}{right}"
    )


if __name__ == "__main__":
    main()
