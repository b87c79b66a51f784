"""Backups are made when they are due, the oldest go, and what keeps one from being made is said."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.notices import Need
from pooldeck_server.runtime.recording.backups import Backups
from pooldeck_server.settings import BackupSettings
from tests.support.engine import engine, eventually
from tests.support.stored import opened


@asynccontextmanager
async def backups(folder: Path, **changes: float) -> AsyncIterator[tuple[Backups, ManualClock]]:
    with opened(folder) as store:
        store.add()
        settings = BackupSettings(folder=folder / "backups", **changes)
        clock = ManualClock()
        yield (
            Backups(settings=settings, database=store.database.path, identity="x1", clock=clock),
            clock,
        )


def made(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "backups").iterdir())


async def test_one_is_made_at_once_and_the_next_when_it_is_due(tmp_path: Path) -> None:
    async with backups(tmp_path, every_hours=24) as (part, clock):
        await part.step()
        first = made(tmp_path)
        clock.advance(23 * 3600)
        await part.step()
        assert made(tmp_path) == first
        clock.advance(3600)
        await part.step()
    assert len(made(tmp_path)) == 2
    assert part.last is not None
    assert part.last.tasks == 1


async def test_the_oldest_go_and_files_of_others_stay(tmp_path: Path) -> None:
    async with backups(tmp_path, every_hours=1, keep=2) as (part, clock):
        (tmp_path / "backups").mkdir()
        others = ["pooldeck-notes.txt", "pooldeck-20200101T000000Z.sqlite3"]
        for name in others:
            (tmp_path / "backups" / name).write_text("mine")
        latest = []
        for _ in range(4):
            await part.step()
            latest.append(next(name for name in made(tmp_path)[::-1] if "-x1-" in name))
            clock.advance(3600)
    assert made(tmp_path) == sorted([*latest[-2:], *others])


async def test_what_a_killed_server_left_unfinished_is_cleared_away(tmp_path: Path) -> None:
    async with backups(tmp_path) as (part, _):
        (tmp_path / "backups").mkdir()
        (tmp_path / "backups" / "pooldeck-x1-20200101T000000Z.sqlite3.7.part").write_bytes(b"half")
        await part.step()
    assert len(made(tmp_path)) == 1
    assert "2020" not in made(tmp_path)[0]


async def test_what_keeps_one_from_being_made_is_noticed_until_one_is(tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.write_text("a file in its place")
    settings = {"folder": folder, "every_hours": 1}
    async with engine(tmp_path / "data", backup=settings) as server:
        assert server.backups is not None
        backups = server.backups

        def notices() -> list[Need]:
            return [notice.need for notice in server.frames.latest().notices]

        await eventually(lambda: Need.NO_BACKUP in notices())
        folder.unlink()
        await backups.step()
        assert backups.trouble is None
        await eventually(lambda: Need.NO_BACKUP not in notices())
    assert len(made(tmp_path)) == 1


async def test_a_name_of_a_time_to_come_keeps_none_from_being_made(tmp_path: Path) -> None:
    async with backups(tmp_path) as (part, _):
        (tmp_path / "backups").mkdir()
        (tmp_path / "backups" / "pooldeck-x1-99990101T000000Z.sqlite3").write_text("")
        await part.step()
    assert len(made(tmp_path)) == 2
