"""What the tests of the runtime share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def functions_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers find the functions of these tests."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
