"""What tests of several folders share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Serving, serving

_CONFIG = """
functions = ["shown"]

[pools.io]
kind = "thread"
size = 4

[pools.cpu]
kind = "process"
size = 2
"""


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve the functions of tests/shown.py in two small pools, once for all pages."""
    folder = tmp_path_factory.mktemp("shown")
    (folder / "pooldeck.toml").write_text(_CONFIG)
    with serving(folder, environment={"PYTHONPATH": str(Path(__file__).parent)}) as server:
        server.wait_until_ready()
        yield server
