"""What the tests of the library share."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def functions_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers find the modules of functions in this folder."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
