"""Modules of functions that are written, and written anew, while an engine or a server runs."""

import os
import textwrap
from pathlib import Path

import pytest

_IMPORTS = "from pooldeck import task\n"


class Deployment:
    """A folder from which workers import their modules."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        folder.mkdir()
        # Before what others have set: workers of a server beside this one may start meanwhile.
        monkeypatch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        # Python takes a compiled file for new whose source was changed within the same second.
        monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    def write(self, module: str, source: str) -> None:
        """Put a module in place, whole at any moment."""
        new = self.folder / f"{module}.new"
        new.write_text(_IMPORTS + textwrap.dedent(source))
        new.replace(self.folder / f"{module}.py")
