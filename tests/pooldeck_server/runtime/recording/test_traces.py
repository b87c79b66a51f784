"""What was erased is soon gone from the write-ahead log too, while the server runs."""

import sqlite3
from contextlib import closing
from pathlib import Path

from pooldeck_server.domain.tasks.changes import End
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.recording.traces import Traces
from pooldeck_server.store import records
from tests.support.engine import call, engine, eventually, outcome, submit
from tests.support.stored import Store, opened

REDACTED = {"shown_args": '["[redacted]"]', "shown_kwargs": "{}"}


def are_kept(folder: Path, text: bytes) -> bool:
    return any(text in file.read_bytes() for file in folder.glob("pooldeck.*") if file.is_file())


def end_one(store: Store, secret: str) -> Traces:
    """Store a task with sensitive arguments and its end; return the traces of that."""
    traces = Traces(store.database, longest=0)
    store.write(records.erase_traces)
    task = store.running(args=f'["{secret}"]', **REDACTED)
    moves = store.write(records.end, [End(task.seq, 1, State.SUCCEEDED, 2, result="1")])
    traces.note(moves)
    return traces


async def test_sensitive_arguments_are_gone_from_all_files_while_the_server_runs(
    tmp_path: Path,
) -> None:
    async with engine(tmp_path) as server:
        accepted = await server.intake.submit(call("log_in", "ada", "secret-word"))
        cancelled = await submit(server, "log_in", "ada", "secret-too", delay=3600)
        await outcome(server, accepted.task.id)
        await server.tasks.cancel(cancelled)

        await eventually(lambda: not are_kept(tmp_path, b"secret-"))
        assert are_kept(tmp_path, b"redacted")


def test_without_a_quiet_moment_they_are_erased_between_two_commits(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        traces = end_one(store, "secret-word")
        assert are_kept(tmp_path, b"secret-word")

        assert traces.are_old
        traces.erase()

        assert not are_kept(tmp_path, b"secret-word")
        assert (traces.are_old, traces.patience) == (False, None)


def test_a_reader_in_the_way_is_not_waited_for_and_they_are_erased_later(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        store.add()
        with closing(sqlite3.connect(store.database.path, isolation_level=None)) as reading:
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM tasks").fetchall()
            traces = end_one(store, "secret-word")
            traces.erase()
            assert traces.patience is not None
        traces.erase()

        assert not are_kept(tmp_path, b"secret-word")


def test_where_nothing_is_sensitive_nothing_is_done(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        task = store.running()
        traces = Traces(store.database)
        traces.note(store.write(records.end, [End(task.seq, 1, State.FAILED, 2)]))

        assert traces.patience is None
