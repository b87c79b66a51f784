"""Virtual environments of tests: what is installed, and which libraries can be seen."""

import subprocess
import sys
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement

from tests import ROOT


def run(*command: str | Path, folder: Path) -> str:
    """Run a program that has to succeed, and return what it says."""
    completed = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=110, check=False
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


class Environment:
    """A virtual environment that was made in `folder` and is empty at first."""

    def __init__(self, folder: Path) -> None:
        run(sys.executable, "-m", "venv", "--without-pip", folder, folder=ROOT)
        self.folder = folder
        self.programs = folder / "bin"
        [self.site_packages] = folder.glob("lib/python*/site-packages")

    def install(self, *what: str | Path) -> None:
        """Install without dependencies and without a network."""
        pip = (sys.executable, "-m", "pip", "--python", self.folder)
        options = ("--no-deps", "--no-index", "--no-compile", "--no-build-isolation")
        run(*pip, "install", *options, *what, folder=ROOT)

    def show_everything(self) -> None:
        """Let all libraries of this interpreter be found, but not the Pooldeck it may have.

        A plain line is added at the end of the path; .pth files found there, such as the one of an
        editable Pooldeck, are not followed.
        """
        libraries = distribution("msgspec").locate_file("")
        (self.site_packages / "requirements.pth").write_text(f"{libraries}\n")

    def show_needed_by(self, name: str) -> None:
        """Let only those libraries be found that what is installed as `name` needs, and theirs."""
        [metadata] = self.site_packages.glob(f"{name}-*.dist-info/METADATA")
        lines = metadata.read_text().splitlines()
        needed = [line.removeprefix("Requires-Dist: ") for line in lines if "Requires-D" in line]
        for library in _closure(needed):
            for top in {file.parts[0] for file in distribution(library).files or ()} - {".."}:
                link = self.site_packages / top
                if top != "__pycache__" and not link.exists():
                    link.symlink_to(Path(str(distribution(library).locate_file(top))))


def _closure(requirements: Iterable[str]) -> set[str]:
    names: set[str] = set()
    waiting = list(requirements)
    while waiting:
        requirement = Requirement(waiting.pop())
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and requirement.name not in names:
            names.add(requirement.name)
            waiting += distribution(requirement.name).requires or ()
    return names
