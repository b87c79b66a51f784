"""The folder of a run's socket: what killed runs leave is removed, what others use is not."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pooldeck_server.runtime.tasks.socket_folder import SocketFolder, remove_abandoned
from tests.support.engine import engine
from tests.support.marked_processes import new_boot

_KILLED = """
import os, signal, sys
from pooldeck_server.runtime.tasks.socket_folder import SocketFolder
SocketFolder(sys.argv[1]).make()
os.kill(os.getpid(), signal.SIGKILL)
"""


def folder_of(boot: str) -> Path:
    return Path(SocketFolder(boot).socket).parent


def are_there(*folders: Path) -> dict[Path, bool]:
    return {folder: folder.is_dir() for folder in folders}


@pytest.fixture
def abandoned() -> Path:
    """The folder of a run that was killed."""
    boot = new_boot()
    subprocess.run([sys.executable, "-c", _KILLED, boot], check=False, timeout=60)
    assert folder_of(boot).is_dir()
    return folder_of(boot)


@pytest.fixture
def in_use() -> Iterator[Path]:
    folder = SocketFolder(new_boot())
    folder.make()
    yield Path(folder.socket).parent
    folder.remove()


async def test_the_start_of_any_server_removes_what_a_killed_one_has_left(
    tmp_path: Path, abandoned: Path, in_use: Path
) -> None:
    async with engine(tmp_path):
        assert {abandoned: False, in_use: True} == are_there(abandoned, in_use)


def test_what_may_just_be_made_or_is_no_servers_stays(abandoned: Path) -> None:
    temporary = Path(tempfile.gettempdir())
    others, young = (temporary / f"pooldeck-{new_boot()}" for _ in range(2))
    others.mkdir()
    young.mkdir()
    (young / "owner").touch()

    remove_abandoned()

    assert others.is_dir()
    assert young.is_dir()
    assert not abandoned.exists()
    for folder in (others, young):
        (folder / "owner").unlink(missing_ok=True)
        folder.rmdir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_what_belongs_to_another_user_stays(abandoned: Path) -> None:
    os.chown(abandoned, 65534, 65534)

    remove_abandoned()

    assert abandoned.is_dir()
    os.chown(abandoned, 0, 0)
    remove_abandoned()
    assert not abandoned.exists()
