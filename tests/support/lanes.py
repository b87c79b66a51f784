"""Lanes of tests: those that share a server or a browser run one after the other, the rest beside.

A lane is run by one process, from its first test to its last. Usually it is a file, whose tests may
share what takes long to start.
"""

from typing import Final

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

# What takes longest comes first.
_SLOWEST: Final = (
    "tests/browser/",
    "tests/faults/",
    "tests/fuzz/",
    "tests/pooldeck_server/runtime/hosts/test_dask",
    "tests/project/",
    "tests/served/",
    "tests/pooldeck/",
    "tests/pooldeck_server/runtime/",
)
# Folders and files whose tests share nothing: each is a lane of its own.
_APART: Final = (
    "tests/faults/test_killed",
    "tests/faults/test_stopped_server.py",
    "tests/faults/test_storage.py",
    "tests/project/test_bench.py",
)
# Folders whose tests share one server, or one and a browser: so many lanes for all of their files.
_TOGETHER: Final = {"tests/browser/": 3, "tests/faults/": 1}


class Lanes(LoadScopeScheduling):
    """Hands lanes out in the order in which their tests were collected."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return lane(nodeid)


def lane(nodeid: str) -> str:
    """Return the lane of a test."""
    if nodeid.startswith(_APART):
        return nodeid
    file = nodeid.partition("::")[0]
    for folder, lanes in _TOGETHER.items():
        if file.startswith(folder):
            return f"{folder}{sum(file.encode()) % lanes}"
    return file


def place(nodeid: str) -> int:
    """Return the place of a test among all, by which they are sorted."""
    slow = (number for number, folder in enumerate(_SLOWEST) if nodeid.startswith(folder))
    return next(slow, len(_SLOWEST))
