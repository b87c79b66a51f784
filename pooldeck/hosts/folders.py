"""Where a host keeps what its boots need, and what boots that are over have left there."""

import fcntl
import logging
import os
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from pooldeck.black_box import MARK_BYTES, DamagedError, Manifest, read
from pooldeck.hosts.wire import Gone, Machine
from pooldeck.marks import sweep
from pooldeck.pools.boxes import SUFFIX, Boxes
from pooldeck.protocol import Finished

_log: Final = logging.getLogger(__name__)
_PREFIX: Final = "boot-"


class HostRunningError(Exception):
    """Another process of the same host runs on this machine."""


class _Owner(Struct, frozen=True):
    """Whose a folder is."""

    boot: str
    deck: str
    term: int
    machine: Machine
    mark: bytes


class HostFolder:
    """The folder of a host: one process at a time has it.

    Args:
        path: It, which is made if it is not there.
        machine: This one.

    Raises:
        HostRunningError: If another process has it.
        OSError: If it cannot be made.
    """

    def __init__(self, path: Path, machine: Machine) -> None:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        self._machine = machine
        self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise HostRunningError(f"another process of this host has {path}") from error

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._lock)

    def begin(self, boot: str, deck: str, term: int) -> Boxes:
        """Make the folder of a boot, for the files of its workers; return their black boxes."""
        folder = self._of(boot)
        folder.mkdir(mode=0o700)
        owner = _Owner(boot, deck, term, self._machine, secrets.token_bytes(MARK_BYTES))
        Manifest(folder).begin(msgspec.json.encode(owner).decode())
        return Boxes(folder, owner.mark)

    def _of(self, boot: str) -> Path:
        return self.path / f"{_PREFIX}{boot}"

    def forget(self, boots: Iterable[str]) -> None:
        """Remove the folders of boots whose ends their server knows."""
        for boot in boots:
            shutil.rmtree(self._of(boot), ignore_errors=True)

    def gone(self) -> list[Gone]:
        """End what earlier boots have left, and return what is known of their calls.

        It takes a while, so it does not belong on an event loop.
        """
        found = []
        for folder in sorted(self.path.glob(f"{_PREFIX}*")):
            try:
                head = Manifest(folder).head()
                owner = msgspec.json.decode(head, type=_Owner)
            except (OSError, ValueError):  # it ended before it had anything to run
                shutil.rmtree(folder, ignore_errors=True)
                continue
            gone = self._gone(folder, owner)
            if gone is not None:
                found.append(gone)
        return found

    def _gone(self, folder: Path, owner: _Owner) -> Gone | None:
        """Return what a boot has left, None if it cannot be known here that it is gone."""
        if self._machine.sees_processes_of(owner.machine):
            try:
                sweep([owner.boot])
            except OSError as error:
                _log.warning("what boot %s has left cannot be ended: %s", owner.boot, error)
                return None
            return _told(folder, owner)
        has_restarted = self._machine.id == owner.machine.id and (
            self._machine.boot_id != owner.machine.boot_id
        )
        return Gone(owner.boot, owner.deck, owner.term) if has_restarted else None


def _told(folder: Path, owner: _Owner) -> Gone:
    """Return what the black boxes of a boot tell."""
    ended: list[tuple[str, int, Finished]] = []
    cut_off: list[tuple[str, int]] = []
    is_whole = True
    workers: set[str] = {path.stem for path in folder.glob(f"*{SUFFIX}")}
    try:
        workers |= Manifest(folder).workers()
    except (OSError, ValueError):
        is_whole = False
    for worker in workers:
        with suppress(DamagedError):
            box = read(folder / f"{worker}{SUFFIX}", worker, owner.mark)
            is_whole &= box.is_whole
            for (task, attempt), call in box.calls.items():
                if isinstance(call.end, Finished):
                    ended.append((task, attempt, call.end))
                else:
                    cut_off.append((task, attempt))
            continue
        is_whole = False
    return Gone(owner.boot, owner.deck, owner.term, tuple(ended), tuple(cut_off), is_whole)
