"""The black boxes that the workers of an earlier run have left: which of them can be believed.

They belong to a database and to a start of the machine: a copy of the database, restored beside
them, has another identity, and after a power cut nothing says that what stands in them is all.
Where a box of a pool is missing or damaged, nobody knows what had begun in that pool.
"""

import logging
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
import psutil
from msgspec import Struct

from pooldeck import last_words
from pooldeck.black_box import MARK_BYTES, BoxedCall, Calls, DamagedError, Manifest, read
from pooldeck.last_words import Owner
from pooldeck.pools.boxes import SUFFIX
from pooldeck.protocol import LogLine

_log = logging.getLogger(__name__)
WORDS: Final = ".words"
_MACHINE: Final = Path("/proc/sys/kernel/random/boot_id")


class BoxesOwner(Struct, frozen=True):
    """Whose the boxes of a run are: of a run of a database, and of a start of the machine."""

    database: str
    run: str
    machine: str
    mark: bytes


class BoxesLeft(Struct, frozen=True):
    """What the boxes of an earlier run have, and for which pools they have all."""

    calls: Calls = {}
    lines: Mapping[Owner, Sequence[LogLine]] = {}  # that calls said, and that may not have arrived
    doubtful: frozenset[str] | None = None  # pools; None: all of them

    def find(self, task: str, attempt: int) -> BoxedCall | None:
        return self.calls.get((task, attempt))

    def has_all(self, pool: str) -> bool:
        """Tell whether what is not in the boxes has not begun in a pool."""
        return self.doubtful is not None and pool not in self.doubtful


def this_machine() -> str:
    """Return what tells this start of the machine from all others."""
    with suppress(OSError):
        return _MACHINE.read_text().strip()
    return f"{psutil.boot_time():.0f}"


def begin_boxes(folder: Path, database: str, run: str) -> bytes:
    """Begin the list of a run's boxes in an empty folder; return the mark that they are to have."""
    owner = BoxesOwner(database, run, this_machine(), secrets.token_bytes(MARK_BYTES))
    Manifest(folder).begin(msgspec.json.encode(owner).decode())
    return owner.mark


def boxes_left(folder: Path, database: str, runs: Collection[str]) -> BoxesLeft:
    """Return what the boxes in a folder tell whose workers are gone.

    Args:
        folder: Where they lie.
        database: The identity of the database that they have to belong to.
        runs: The earlier runs that it knows of: an older copy of it knows not all.
    """
    manifest = Manifest(folder)
    try:
        owner = msgspec.json.decode(manifest.head(), type=BoxesOwner)
        workers = manifest.workers()
    except (OSError, ValueError):  # what cannot be read or decoded
        return BoxesLeft()
    if owner.database != database or owner.run not in runs or owner.machine != this_machine():
        return BoxesLeft()
    there = {path.stem for path in folder.glob(f"*{SUFFIX}")}
    return _read_all(folder, workers | there, owner.mark)


def _read_all(folder: Path, workers: Iterable[str], mark: bytes) -> BoxesLeft:
    calls: dict[tuple[str, int], BoxedCall] = {}
    lines: dict[Owner, list[LogLine]] = {}
    doubtful = set[str]()
    for worker in workers:
        try:
            box = read(folder / f"{worker}{SUFFIX}", worker, mark)
        except DamagedError as error:
            _log.warning("what worker %s was doing is not known: %s", worker, error)
            doubtful.add(_pool_of(worker))
        else:
            calls.update(box.calls)
            lines.update(last_words.read(str(folder / f"{worker}{WORDS}")).lines)
            if not box.is_whole:
                doubtful.add(_pool_of(worker))
    return BoxesLeft(calls, lines, frozenset(doubtful))


def _pool_of(worker: str) -> str:
    return worker.rpartition("-")[0]
