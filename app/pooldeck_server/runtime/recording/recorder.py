"""The one writer: gathers what waits to be written, commits it together, then says so.

It owns the writer thread. Intake, dispatchers and recovery feed it from the event loop; the thread
takes everything that has gathered, writes it in one transaction through `store.records`, and
hands the answers back to the loop after the commit. While one commit is on its way to the disk the
next batch gathers, so that the harder it is pressed, the more each commit carries.

What a client waits for (a submission, a cancellation) is refused when it cannot be written.
What has happened already (a start, an end, a log line) is kept and tried again until it is written.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol, TypeVar

from pooldeck_server import failpoints
from pooldeck_server.domain.actions import Action
from pooldeck_server.domain.errors import DiskFull, Internal, PooldeckError, StorageUnavailable
from pooldeck_server.domain.failures.incidents import StoredIncident
from pooldeck_server.domain.log_subjects import about
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.tasks.batches import KeyedBatch
from pooldeck_server.domain.tasks.changes import End, ProgressMark, Rerun, Start, TaskChanged
from pooldeck_server.domain.tasks.log import LogCut, LogEntry, WorkerEntry
from pooldeck_server.domain.tasks.pipelines import Dependencies
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.runtime.recording.lag import Lag
from pooldeck_server.runtime.recording.pending import Acted, CommitBatch, Insert, LogBatch, Request
from pooldeck_server.runtime.recording.traces import Traces
from pooldeck_server.runtime.recording.waiters import Waiters
from pooldeck_server.store import records
from pooldeck_server.store.database import Database
from pooldeck_server.store.transaction import Transaction

_log = logging.getLogger(__name__)
_RETRY_SECONDS: Final = 0.5
_LAST_TRIES: Final = 3  # of what is kept, when the server stops
_GATHER_SECONDS: Final = 0.02
_MANY_ENDS: Final = 4  # in one commit: such a load it pays to gather under
_FLOW_SECONDS: Final = 0.005  # that submissions may go on arriving before they are committed

T = TypeVar("T")
Moves = Sequence[TaskChanged]


class CommitFollower(Protocol):
    """A part that is told on the event loop what has been committed."""

    def on_commit(self, moves: Moves, /) -> None:
        """Take the moves of a commit."""


class Recorder:
    """Group commit on one thread; while `limit` submissions wait for one, others are refused."""

    def __init__(self, database: Database, limit: int) -> None:
        self._database = database
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._lock = threading.Lock()
        self._gathered = threading.Event()
        self._asked = threading.Event()
        self._batch = CommitBatch()
        self._inserting = 0
        self.ends_given = 0  # by those whose attempts have ended, reruns too
        self.ends_done = 0  # of these, in the order given: on record, or given up as bad
        self.commits = 0  # since the start: what is on record changes with them alone
        self._inserted_at = 0.0  # when the thread took the latest submissions
        self._flows_until = 0.0  # until then ends gather, since submissions keep coming
        self._arrived = 0  # single submissions since the start
        self._awaits_others = False
        self._closing = False
        self._tries_left = _LAST_TRIES
        self.trouble: PooldeckError | None = None  # why the last commit failed, if it did
        self._troubled_at = 0.0  # when that began
        self.lag = Lag()
        self.waiters = Waiters()
        self._traces = Traces(database)

    def start(
        self,
        followers: Sequence[CommitFollower] = (),
        awaits_ends: Callable[[], bool] = lambda: False,
    ) -> None:
        """Start the writer thread; of each commit, followers hear before those who wait for it.

        `awaits_ends` tells whether somebody wants to hear of each end as soon as it has come,
        besides the `waiters`.
        """
        self._followers = tuple(followers)
        self._awaits_ends = awaits_ends
        self._thread.start()

    async def stop(self) -> None:
        """Write what waits, then end the thread."""
        self._closing = True
        self._wake(asked=True)
        await asyncio.to_thread(self._thread.join)

    async def written(self) -> None:
        """Return when what has happened by now is written, and those who follow have heard of it.

        Where the database takes nothing, that is not before it does.
        """
        while self._batch.has_happened:  # noqa: ASYNC110 - the thread takes it without a word
            await asyncio.sleep(_GATHER_SECONDS / 2)
        await self.perform(lambda _: None)  # after what the thread writes at the moment

    @property
    def is_alive(self) -> bool:
        """Whether the writer thread runs, however long its commit takes."""
        return self._thread.is_alive()

    # What is asked for: refused when it cannot be written.

    async def insert(
        self,
        tasks: Sequence[NewTask],
        settled: Callable[[bool], None] = lambda _: None,
        ties: Dependencies | None = None,
        batch: KeyedBatch | None = None,
    ) -> None:
        """Store submissions, with what ties them to others; return when they are committed.

        `batch` is kept beside them, where they have a key together.

        `settled` is told whether they are stored, also where whoever waits here is cancelled
        meanwhile: what is on its way to the disk is not called back.

        Raises:
            StorageUnavailable: If the database does not take them, or too many wait already.
            DiskFull: If there is no room for them.
        """
        if self._inserting + len(tasks) > self._limit:
            raise StorageUnavailable(
                f"{self._inserting} submissions already wait to be written; try again in a moment",
                retry_after=1,
            )
        insert = Insert(tasks, self._loop.create_future(), settled, ties, batch)
        self._inserting += len(tasks)
        with self._lock:
            self._batch.inserts.append(insert)
        if len(tasks) > 1:
            self._wake(asked=True)
        else:
            self._wake_after_others()
        await insert.answer

    async def perform(self, write: Callable[[Transaction], T]) -> T:
        """Run another write of `store.records`; return its result when it is committed.

        Raises:
            StorageUnavailable: If the database does not take it.
            DiskFull: If there is no room for it.
        """
        answer: asyncio.Future[T] = self._loop.create_future()
        with self._lock:
            self._batch.requests.append(Request(write, answer))
        if not self._awaits_others:  # else it goes with the submissions that are just coming in
            self._wake(asked=True)
        return await answer

    async def try_perform(
        self, write: Callable[[Transaction], Any], what: str, *, is_tried_again: bool = False
    ) -> bool:
        """Run a write that can be done without, or log that `what` was not kept; return which.

        What is tried again is not lost: that the database takes nothing has been said by then.
        """
        try:
            await self.perform(write)
        except PooldeckError as error:
            level = logging.DEBUG if is_tried_again else logging.WARNING
            _log.log(level, "%s: not kept: %s", what, error)
            return False
        return True

    # What has happened: kept until it is written.

    def record_results(
        self, starts: Sequence[Start], ends: Sequence[End], reruns: Sequence[Rerun] = ()
    ) -> None:
        """Record attempts that started, how others ended, and which of these are run again.

        An end in the same commit makes the start of its attempt needless.
        """
        if ends or reruns:
            failpoints.reach("before_final_write")
        with self._lock:
            for start in starts:
                self._batch.starts[start.seq] = start
            for end in ends:
                self._batch.starts.pop(end.seq, None)
            for rerun in reruns:
                self._batch.starts.pop(rerun.seq, None)
            self._batch.ends.extend(ends)
            self._batch.reruns.extend(reruns)
            self.ends_given += len(ends) + len(reruns)
            is_held_up = bool(ends and self._flows_until) and self._is_awaited()
            if is_held_up:
                self._flows_until = 0.0
        self._wake(asked=is_held_up)

    def _is_awaited(self) -> bool:
        """Tell whether somebody wants to hear of an end as soon as it has come."""
        return bool(self.waiters) or self._awaits_ends()

    def record_incident(self, incident: StoredIncident) -> None:
        """Record an incident, or what more is known of it."""
        with self._lock:
            self._batch.incidents[incident.id] = incident
        self._wake(asked=False)

    def record_annotation(self, annotation: StoredAnnotation) -> None:
        """Record what was done to a pool, or what befell it."""
        with self._lock:
            self._batch.annotations.append(annotation)
        self._wake(asked=False)

    def record_action(self, action: Action, seqs: Sequence[int] = ()) -> None:
        """Record what somebody has done that is no write by itself, and to which tasks."""
        with self._lock:
            self._batch.actions.append(Acted(action, tuple(seqs)))
        self._wake(asked=False)

    def record_progress(self, mark: ProgressMark) -> None:
        """Record how far an attempt says it is; only the latest of a commit counts."""
        with self._lock:
            self._batch.progress[mark.seq] = mark
        self._wake(asked=False)

    def record_log(self, entries: Sequence[LogEntry], cuts: Sequence[LogCut] = ()) -> None:
        """Record lines of attempts' logs, and which ones that were recorded are kept no longer."""
        with self._lock:
            self._batch.log.entries.extend(entries)
            self._batch.log.cuts.extend(cuts)
        self._wake(asked=False)

    def record_worker_log(self, entries: Sequence[WorkerEntry]) -> None:
        """Record lines of workers' own logs."""
        with self._lock:
            self._batch.log.of_workers.extend(entries)
        self._wake(asked=False)

    def _wake_after_others(self) -> None:
        """Wake the writer thread when the loop has taken in the submissions that are here by now.

        Where many clients submit one by one, a few large commits let them all get on faster than
        many small ones, which take the GIL from the loop each time.
        """
        self._arrived += 1
        if self._awaits_others:
            return
        self._awaits_others = True
        self._loop.call_soon(self._look_for_others, self._arrived, time.monotonic() + _FLOW_SECONDS)

    def _look_for_others(self, arrived: int, latest: float) -> None:
        """Wake the writer thread if no submission has come in this turn of the loop."""
        if self._arrived > arrived and time.monotonic() < latest:
            self._loop.call_soon(self._look_for_others, self._arrived, latest)
        else:
            self._awaits_others = False
            self._wake(asked=True)

    def _wake(self, *, asked: bool) -> None:
        """Tell the writer thread that something has gathered, and whether somebody waits."""
        if asked and not self._asked.is_set():
            self._asked.set()
        if not self._gathered.is_set():
            self._gathered.set()

    # The writer thread.

    def _run(self) -> None:
        """Commit what gathers, until the recorder closes and nothing is left.

        Under load, what has happened gathers for a while, and commits in between carry only
        what somebody waits for: a commit costs much the same whether it ends one task or fifty.
        So it does while submissions come one after the other and nobody waits for an end: the next
        one would wait for the commit of the end of the one before.
        And so that nobody waits for the ends of others, these are written right after submissions,
        while the clients take their answers and send on; apart from them only if none come.
        """
        loaded_until = 0.0
        while True:
            if not self._closing:
                self._wait_for_more()
                due = max(loaded_until, self._flows_until)
                self._asked.wait(max(0.0, due - time.monotonic()))
            due = max(loaded_until, self._flows_until)  # when what has happened is to be written
            early = _GATHER_SECONDS / 2 if self._asked.is_set() else 0.0
            is_due = self._closing or time.monotonic() >= due - early
            batch = self._take(with_what_happened=is_due)
            if is_due:
                is_loaded = len(batch.ends) >= _MANY_ENDS
                loaded_until = time.monotonic() + _GATHER_SECONDS if is_loaded else 0.0
            if self._closing and not batch:
                return
            for part in _by_urgency(batch):
                with self.lag.commit():
                    self._commit(part)

    def _wait_for_more(self) -> None:
        """Return when something has gathered; use the quiet before that to erase traces."""
        if self._traces.are_old:
            self._traces.erase()
        while not self._gathered.wait(self._traces.patience):
            self._traces.erase()

    def _take(self, *, with_what_happened: bool) -> CommitBatch:
        with self._lock:
            batch, self._batch = self._batch, CommitBatch()
            if not with_what_happened:
                batch, self._batch = batch.parted()
            if not self._batch:
                self._gathered.clear()
            self._asked.clear()
            if batch.inserts:
                now = time.monotonic()
                if with_what_happened and now < self._inserted_at + _GATHER_SECONDS:
                    self._flows_until = now + _GATHER_SECONDS
                self._inserted_at = now
        return batch

    def _commit(self, batch: CommitBatch) -> None:
        try:
            results, moves, ended = self._write(batch)
        except (StorageUnavailable, DiskFull) as error:
            self._refuse(batch, error)
        except Exception as error:  # noqa: BLE001 - one bad row must not stop all others
            self._write_apart(batch, error)
        else:
            self._note_success()
            self.ends_done += batch.number_of_ends
            self._traces.note(moves)
            self._loop.call_soon_threadsafe(self._deliver, batch, results, moves, ended)

    def _write(self, batch: CommitBatch) -> tuple[list[Any], Moves, Mapping[str, str]]:
        """Write a batch in one transaction; return the answers, the moves, the awaited ends."""
        results: list[Any] = [None] * len(batch.inserts)
        with self._database.transaction() as transaction:
            if batch.inserts:
                tasks = [task for insert in batch.inserts for task in insert.tasks]
                records.insert_tasks(transaction, tasks)
                for ties in filter(None, (insert.ties for insert in batch.inserts)):
                    records.add_dependencies(transaction, ties)
                for keyed in filter(None, (insert.batch for insert in batch.inserts)):
                    records.add_batch(transaction, keyed)
            results += [request.write(transaction) for request in batch.requests]
            if batch.starts:
                records.start(transaction, list(batch.starts.values()))
            if batch.progress:
                records.progress(transaction, list(batch.progress.values()))
            if batch.log:
                _write_logs(transaction, batch.log)
            if batch.ends:
                records.end(transaction, batch.ends)
            if batch.reruns:
                records.rerun(transaction, batch.reruns)
            _write_events(transaction, batch)
            ended = self.waiters.read_ends(transaction)
            failpoints.reach("before_commit")
        failpoints.reach("after_commit")
        return results, transaction.moves, ended

    def _refuse(self, batch: CommitBatch, error: PooldeckError) -> None:
        """Tell those who wait that the database does not take writes; keep what has happened."""
        if self._database.standing.displacement is None:  # which is told of by itself
            self._note_trouble(error)
        self._loop.call_soon_threadsafe(self._fail, batch, error)
        if not batch.has_happened:
            return
        if self._closing:
            self._tries_left -= 1
            if self._tries_left == 0:
                _log.error(
                    "the ends of %d tasks could not be written and are given up: to the next start "
                    "these tasks are lost, or run again",
                    len(batch.ends),
                )
                return
        self._keep(batch)
        time.sleep(_RETRY_SECONDS)  # a full disk or a locked file is not mended by asking faster

    def _note_trouble(self, error: PooldeckError) -> None:
        if self.trouble is None:
            self._troubled_at = time.monotonic()
        if self.trouble is None or self.trouble.code != error.code:
            _log.error(
                "the database does not take writes: %s. Until it does, submissions are refused, "
                "and what has ended is kept and tried again",
                error,
                extra=about(code=error.code),
            )
        self.trouble = error

    def _note_success(self) -> None:
        if self.trouble is not None:
            seconds = time.monotonic() - self._troubled_at
            _log.warning("the database takes writes again, after %.0f s", seconds)
            self.trouble = None

    def _keep(self, batch: CommitBatch) -> None:
        """Put back what has happened, before what has gathered since."""
        with self._lock:
            self._batch = batch.before(self._batch)
        self._gathered.set()

    def _write_apart(self, batch: CommitBatch, error: Exception) -> None:
        """One write of the batch is bad: write each by itself, so that only that one fails."""
        parts = list(batch.apart())
        if len(parts) > 1:
            for part in parts:
                self._commit(part)
            return
        if isinstance(error, PooldeckError):  # it refuses what is asked for
            self._loop.call_soon_threadsafe(self._fail, batch, error)
            return
        _log.error("a write failed and is given up", exc_info=error)
        self.ends_done += batch.number_of_ends
        refusal = Internal("the database refused this write; the server's log says why")
        self._loop.call_soon_threadsafe(self._fail, batch, refusal)

    # Back on the event loop.

    def _deliver(
        self, batch: CommitBatch, results: list[Any], moves: Moves, ended: Mapping[str, str]
    ) -> None:
        self.commits += 1
        self.waiters.announce(ended)
        if moves:
            for follower in self._followers:
                follower.on_commit(moves)
        self._settle(batch, is_stored=True)
        for answer, result in zip(batch.answers(), results, strict=True):
            if not answer.done():
                answer.set_result(result)

    def _fail(self, batch: CommitBatch, error: PooldeckError) -> None:
        self._settle(batch, is_stored=False)
        for answer in batch.answers():
            if not answer.done():
                answer.set_exception(error)

    def _settle(self, batch: CommitBatch, *, is_stored: bool) -> None:
        """Tell whoever submitted, each in a turn of its own: a failure of one hurts no other."""
        for insert in batch.inserts:
            self._inserting -= len(insert.tasks)
            self._loop.call_soon(insert.settled, is_stored)


def _write_logs(transaction: Transaction, batch: LogBatch) -> None:
    """Write lines, then delete those that are over the bounds of their logs: some may be new."""
    if batch.entries:
        records.log(transaction, batch.entries)
    if batch.cuts:
        records.cut_logs(transaction, batch.cuts)
    if batch.of_workers:
        records.log_of_workers(transaction, batch.of_workers)


def _write_events(transaction: Transaction, batch: CommitBatch) -> None:
    """Write what befell workers and pools, and what was done that is no write by itself."""
    for incident in batch.incidents.values():
        records.save_incident(transaction, incident)
    if batch.annotations:
        records.annotate(transaction, batch.annotations)
    for acted in batch.actions:
        records.act(transaction, acted.action, acted.seqs)


def _by_urgency(batch: CommitBatch) -> tuple[CommitBatch, ...]:
    """Return what to commit, one after the other."""
    if batch.inserts and len(batch.ends) >= _MANY_ENDS:
        return batch.parted()
    return (batch,) if batch else ()
