"""Tasks that are deleted with all that is theirs, and what is kept of that.

A call deletes for a bounded time, and says how far it came. What it deletes goes in one
transaction with its counters, so that nothing of a task outlives it, wherever the server dies.
"""

import logging
import sqlite3
import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, and_, delete, func, select, update

from pooldeck_server import failpoints
from pooldeck_server.domain.leaps import ClockLeap
from pooldeck_server.domain.retention import RetentionRules, WhyKept
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.store.bulk import Rows, json_rows
from pooldeck_server.store.queries.argument_text import indexed_texts
from pooldeck_server.store.queries.retention import is_needed, pipeline_ages
from pooldeck_server.store.records.notes import unindex
from pooldeck_server.store.tables import deleted as gone
from pooldeck_server.store.tables import edges, links, pipelines, retention, storage_days, tasks
from pooldeck_server.store.transaction import Transaction, primary_code

_log = logging.getLogger(__name__)
_AT_ONCE: Final = 128  # tasks between two looks at the time, at most
_AT_FIRST: Final = 16  # at first, and at least: they may be large


class _Going(Struct, frozen=True, array_like=True):
    """A task that is to be deleted, as it is now."""

    seq: int
    id: str
    function: str
    pool: str
    state: State
    finished_at: int | None
    kept_at: int | None
    idempotency_key: str | None
    fingerprint: str | None
    pipeline: str | None
    is_needed: int


class DeletedPart(Struct, frozen=True):
    """What became of tasks that were to be deleted.

    `through` is how many of them were looked at before the time was over, `gone` how many of each
    pool, function and state were deleted, and `refused` why others were not. `needed` are the
    numbers of those that another may still need: they may go after that one. It took `seconds`,
    and of the CPU `cpu_seconds`.
    """

    through: int
    gone: dict[tuple[str, str, State], int]
    refused: dict[WhyKept, int]
    needed: tuple[int, ...]
    seconds: float
    cpu_seconds: float


_row = Rows("seq")
_find = (
    select(
        json_rows(
            (
                *(tasks.c[name] for name in _Going.__struct_fields__[:9]),
                links.c.pipeline,
                is_needed(tasks.c.seq),
            )
        )
    )
    .select_from(_row.table)
    .join(tasks, tasks.c.seq == _row["seq"])
    .outerjoin(links, links.c.seq == tasks.c.seq)
)
_delete_tasks = delete(tasks).where(tasks.c.seq.in_(select(_row["seq"])))
_delete_edges = delete(edges).where(edges.c.needs.in_(select(_row["seq"])))


_known = Rows("id", "kind", "deleted_at", "idempotency_key", "fingerprint")
_remember = _known.insert_into(gone).on_conflict_do_nothing()


def delete_tasks(
    transaction: Transaction,
    seqs: Sequence[int],
    *,
    now: int,
    cutoff: int | None = None,
    budget: float,
    remember: bool = False,
    with_pipelines: bool = True,
    pipelines: dict[str, bool] | None = None,
) -> DeletedPart:
    """Delete final tasks, the first of `seqs` first, until `budget` seconds are over.

    At least some are looked at. What a task may still ask for stays, as does what somebody keeps.

    Args:
        transaction: The writer's.
        seqs: The numbers of the tasks.
        now: Microseconds since the epoch.
        cutoff: Only those that ended at this moment or before; None: all that have ended.
        budget: Seconds.
        remember: Keep the ids of all for some days, not only of those with a key.
        with_pipelines: Those of pipelines too, if all of their tasks may go.
        pipelines: Which of them may, as far as an earlier part of the same deletion has found out;
            what this one does is added.
    """
    began, cpu_began = time.perf_counter(), time.thread_time()
    terms = _Terms(
        transaction,
        now,
        cutoff,
        {} if pipelines is None else pipelines,
        remember=remember,
        with_pipelines=with_pipelines,
    )
    through, size = 0, _AT_FIRST
    while through < len(seqs):
        chunk = seqs[through : through + size]
        terms.delete(chunk)
        through += len(chunk)
        elapsed = time.perf_counter() - began
        if elapsed >= budget:
            break
        size = min(_AT_ONCE, max(_AT_FIRST, int(through * (budget - elapsed) / elapsed)))
    _forget_pipelines(transaction, terms.left, now)
    failpoints.reach("in_deletion")
    transaction.gone.update(terms.gone)
    _note_newest(transaction, terms.newest)
    return DeletedPart(
        through,
        dict(terms.gone),
        dict(terms.refused),
        tuple(terms.needed),
        time.perf_counter() - began,
        time.thread_time() - cpu_began,
    )


@dataclass(eq=False)
class _Terms:
    """What goes in one transaction, and what has gone so far."""

    transaction: Transaction
    now: int
    cutoff: int | None
    pipelines: dict[str, bool]  # which of them go
    remember: bool = field(kw_only=True)
    with_pipelines: bool = field(kw_only=True)
    gone: Counter[tuple[str, str, State]] = field(init=False, default_factory=Counter)
    refused: Counter[WhyKept] = field(init=False, default_factory=Counter)
    needed: list[int] = field(init=False, default_factory=list)
    left: set[str] = field(init=False, default_factory=set)  # pipelines that tasks have gone from
    newest: tuple[int, str] = field(init=False, default=(0, ""))  # number and id of what is gone

    def delete(self, seqs: Sequence[int]) -> None:
        """Delete those of some tasks that may go.

        What is needed by one that has gone with it is looked at once more.
        """
        while seqs:
            rows = [(seq,) for seq in seqs]
            found = _row.fetch(self.transaction.connection, _find, _Going, rows)
            why = {task.seq: self._why_kept(task) for task in found}
            going = [task for task in found if why[task.seq] is None]
            _delete(self.transaction, going, self.now, remember=self.remember)
            self.newest = max([self.newest, *((task.seq, task.id) for task in going)])
            self.gone.update((task.pool, task.function, task.state) for task in going)
            self.left.update(task.pipeline for task in going if task.pipeline is not None)
            needed = [seq for seq in why if why[seq] == "needed"]
            seqs = needed if going else []
            self.needed += [] if going else needed
            again = set(seqs)
            self.refused.update(
                reason for seq, reason in why.items() if reason is not None and seq not in again
            )

    def _why_kept(self, task: _Going) -> WhyKept | None:
        """Return why a task stays; None if it goes."""
        if task.state not in FINAL or self._has_run_again(task):
            return "not_final"
        if task.kept_at is not None:
            return "kept"
        if task.pipeline is not None and not (self.with_pipelines and self._goes(task.pipeline)):
            return "in_pipeline"
        return "needed" if task.is_needed else None

    def _has_run_again(self, task: _Going) -> bool:
        """Tell whether a task is not as old any more as it was found."""
        return self.cutoff is not None and (
            task.finished_at is None or task.finished_at > self.cutoff
        )

    def _goes(self, pipeline: str) -> bool:
        if pipeline not in self.pipelines:
            ages = pipeline_ages(self.transaction.connection, pipeline)
            self.pipelines[pipeline] = ages is not None
        return self.pipelines[pipeline]


def _delete(
    transaction: Transaction, going: Collection[_Going], now: int, *, remember: bool
) -> None:
    """Delete tasks with what belongs to them; attempts, logs, tags and links go by themselves."""
    if not going:
        return
    connection = transaction.connection
    rows = [(task.seq,) for task in going]
    _forget_texts(connection, [task.seq for task in going])
    _known.execute(
        connection,
        _remember,
        [
            (task.id, "task", now, task.idempotency_key, task.fingerprint)
            for task in going
            if remember or task.idempotency_key is not None
        ],
    )
    _row.execute(connection, _delete_edges, rows)
    _row.execute(connection, _delete_tasks, rows)


def _note_newest(transaction: Transaction, newest: tuple[int, str]) -> None:
    """Keep the number and the id that others go on after, should no newer task be left."""
    seq, task_id = newest
    is_newer = func.coalesce(retention.c.last_seq, 0) < seq
    transaction.connection.execute(
        update(retention).where(is_newer).values(last_seq=seq, last_id=task_id)
    )


def _forget_texts(connection: Connection, seqs: Sequence[int]) -> None:
    """Take the arguments of tasks out of the index that searches go by."""
    texts = indexed_texts(connection, seqs)
    try:
        unindex(connection, texts)
    except sqlite3.DatabaseError as error:
        if primary_code(error) != sqlite3.SQLITE_CORRUPT:
            raise
        _log.warning("the index of arguments keeps words of deleted tasks: %s", error)


def _forget_pipelines(transaction: Transaction, ids: Collection[str], now: int) -> None:
    """Delete those pipelines whose last task has gone."""
    for pipeline_id in ids:
        is_empty = ~select(links.c.seq).where(links.c.pipeline == pipeline_id).exists()
        row = transaction.connection.execute(
            delete(pipelines)
            .where(and_(pipelines.c.id == pipeline_id, is_empty))
            .returning(pipelines.c.idempotency_key, pipelines.c.fingerprint)
        ).one_or_none()
        if row is not None:
            known = [(pipeline_id, "pipeline", now, row.idempotency_key, row.fingerprint)]
            _known.execute(transaction.connection, _remember, known)


def keep_task(transaction: Transaction, task_id: str, at: int | None) -> bool:
    """Keep a task from being deleted, since `at` (microseconds), or no longer (None).

    Returns:
        Whether there is such a task.
    """
    kept_at = None if at is None else func.coalesce(tasks.c.kept_at, at)
    changed = transaction.connection.execute(
        update(tasks).where(tasks.c.id == task_id).values(kept_at=kept_at)
    )
    return changed.rowcount > 0


def save_rules(transaction: Transaction, rules: RetentionRules | None, now: int) -> None:
    """Keep rules that somebody has set; None: those of the settings count again."""
    text = None if rules is None else msgspec.json.encode(rules).decode()
    transaction.connection.execute(update(retention).values(rules=text, changed_at=now))


def allow_deletion(transaction: Transaction, now: int) -> None:
    """Note that somebody has said that tasks from before there was retention may be deleted."""
    transaction.connection.execute(update(retention).values(allowed_at=now))


def save_leap(transaction: Transaction, leap: ClockLeap | None) -> None:
    """Keep a leap of the clock that is doubted; None: there is none, or somebody vouched for it."""
    since, to = (None, None) if leap is None else (leap.since, leap.to)
    settles = None if leap is None else int(leap.settles)
    values = {"leapt_from": since, "leapt_to": to, "leap_settles": settles}
    transaction.connection.execute(update(retention).values(values))


_day = Rows("day", "used_bytes", "tasks")
_insert_day = _day.insert_into(storage_days)
_save_day = _insert_day.on_conflict_do_update(
    index_elements=[storage_days.c.day],
    set_={name: _insert_day.excluded[name] for name in ("used_bytes", "tasks")},
)


def save_day(transaction: Transaction, day: int, used_bytes: int, number: int) -> None:
    """Keep what the database holds on a day (since the epoch): bytes in use, and tasks."""
    _day.execute(transaction.connection, _save_day, [(day, used_bytes, number)])
