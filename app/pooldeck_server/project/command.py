"""`pooldeck init`: writes a small project that can be served, submitted to and tested as it is.

What it writes is in the folder `files`, with `$name`, `$user`, `$folder` and `$command` to be set.
"""

import getpass
import shlex
import shutil
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated, Final

import typer

from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.command_line.output import Output

_FILES: Final = {
    "pooldeck.toml": "pooldeck.txt",
    "jobs.py": "jobs.txt",
    "test_jobs.py": "test_jobs.txt",
    "pooldeck.service": "service.txt",
    ".gitignore": "gitignore.txt",
    "README.md": "readme.txt",
}
"""Written → read. The names differ, so that no tool takes the latter for what it is not yet."""

_NEXT: Final = (
    ("pooldeck dev jobs.py", "serves it, loads your changes, shows what tasks say"),
    ("pooldeck submit jobs.count_primes 100000 --wait", "in another terminal"),
    ("pytest", "its tests need no server"),
)


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="where; it is made if it is not there [.]")
    ] = Path(),
    *,
    force: Annotated[bool, typer.Option("--force", help="write over files that are there")] = False,
) -> int:
    """Make a project to start from: functions, a test, settings and a unit for systemd."""
    output = Output()
    try:
        write_project(folder, force=force)
    except OSError as error:
        raise Complaint(f"{error.filename or folder}: {error.strerror or error}") from None
    output.line(f"{folder} has {', '.join(_FILES)}.")
    output.line()
    output.line("Next:")
    if folder.resolve() != Path.cwd():
        output.line(f"  cd {shlex.quote(str(folder))}")
    for command, words in _NEXT:
        output.line(f"  {command:<50}{words}")
    return 0


def write_project(folder: Path, *, force: bool = False) -> None:
    """Write all files of a project.

    Args:
        folder: Where; it is made if it is not there.
        force: Whether files that are there are written over.

    Raises:
        Complaint: If there are such files, which it names; nothing has been written then.
        OSError: If one cannot be written.
    """
    there = [name for name in _FILES if (folder / name).exists()]
    if there and not force:
        raise Complaint(
            f"{folder} has {', '.join(there)} already, and nothing was written: choose another "
            "folder, or have it written over by --force"
        )
    folder.mkdir(parents=True, exist_ok=True)
    values = _values(folder.resolve())
    for name, source in _FILES.items():
        (folder / name).write_text(_filled(source, values), encoding="utf-8")


def _filled(source: str, values: Mapping[str, str]) -> str:
    text = files(__package__).joinpath("files", source).read_text(encoding="utf-8")
    return Template(text).substitute(values)


def _values(folder: Path) -> dict[str, str]:
    return {
        "name": folder.name or "jobs",
        "user": _specifiers_escaped(getpass.getuser()),
        "folder": _specifiers_escaped(str(folder)),
        "command": _word_of_a_unit(_own_command()),
    }


def _own_command() -> str:
    """Return the path of `pooldeck` in this environment."""
    beside = Path(sys.executable).with_name("pooldeck")
    return str(beside) if beside.exists() else shutil.which("pooldeck") or str(beside)


def _word_of_a_unit(path: str) -> str:
    """Return a path as one word of a command in a unit."""
    escaped = _specifiers_escaped(path).replace("\\", "\\\\").replace("$", "$$")
    return f'"{escaped}"' if " " in escaped else escaped


def _specifiers_escaped(text: str) -> str:
    return text.replace("%", "%%")
