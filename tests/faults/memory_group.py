"""A control group with little memory, where this machine lets us make one."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.support.waiting import eventually

_ROOT = Path("/sys/fs/cgroup")


_LIMITS = ("memory.max", "memory.limit_in_bytes")  # of version 2, of version 1


@contextmanager
def memory_group(limit_bytes: int) -> Iterator[list[str]]:
    """Make a group of processes that may have so much memory together.

    Gives the command that starts another in it. Where no such group can be made, the test is
    skipped.
    """
    parent = _ROOT / "memory" if (_ROOT / "memory").is_dir() else _ROOT
    folder = parent / f"pooldeck-{secrets.token_hex(4)}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    try:
        limit = next((folder / name for name in _LIMITS if (folder / name).exists()), None)
        if limit is None:
            pytest.skip("control groups do not bound memory here")
        limit.write_text(str(limit_bytes))
        yield ["sh", "-c", 'echo $$ > "$0" && exec "$@"', str(folder / "cgroup.procs")]
    finally:
        eventually(lambda: _is_removed(folder), "all processes in the group are gone")


def _is_removed(folder: Path) -> bool:
    with suppress(OSError):  # it is busy as long as there are some
        folder.rmdir()
    return not folder.exists()
