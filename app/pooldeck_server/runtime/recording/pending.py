"""What gathers between two commits: what is asked for, and what has happened."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pooldeck_server.domain.actions import Action
from pooldeck_server.domain.failures.incidents import StoredIncident
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.domain.tasks.batches import KeyedBatch
from pooldeck_server.domain.tasks.changes import End, ProgressMark, Rerun, Start
from pooldeck_server.domain.tasks.log import LogCut, LogEntry, WorkerEntry
from pooldeck_server.domain.tasks.pipelines import Dependencies
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.store.transaction import Transaction


class Insert(Struct):
    """Submissions, what ties them to others or is their common key, and who waits for them.

    `settled` is told whether they are stored, also where nobody waits for `answer` any more.
    """

    tasks: Sequence[NewTask]
    answer: "asyncio.Future[None]"
    settled: Callable[[bool], None]
    ties: Dependencies | None = None
    batch: KeyedBatch | None = None


class Request(Struct):
    """Another write whose result somebody waits for."""

    write: Callable[[Transaction], Any]
    answer: "asyncio.Future[Any]"


class LogBatch(Struct):
    """Lines of attempts' logs, which of these are kept no longer, and lines of workers' own."""

    entries: list[LogEntry] = []
    cuts: list[LogCut] = []
    of_workers: list[WorkerEntry] = []

    def __bool__(self) -> bool:
        return bool(self.entries or self.cuts or self.of_workers)

    def apart(self) -> "Iterator[LogBatch]":
        """Yield batches of one write each, in order."""
        for entry in self.entries:
            yield LogBatch(entries=[entry])
        for cut in self.cuts:
            yield LogBatch(cuts=[cut])
        for line in self.of_workers:
            yield LogBatch(of_workers=[line])

    def before(self, newer: "LogBatch") -> "LogBatch":
        """Return what is in this batch, followed by what is in a newer one."""
        return LogBatch(
            self.entries + newer.entries,
            self.cuts + newer.cuts,
            self.of_workers + newer.of_workers,
        )


class Acted(Struct, frozen=True):
    """An action, and the tasks that it was done to."""

    action: Action
    seqs: tuple[int, ...] = ()


class CommitBatch(Struct):
    """What has gathered since the last commit: what is asked for, and what has happened."""

    inserts: list[Insert] = []
    requests: list[Request] = []
    starts: dict[int, Start] = {}
    ends: list[End] = []
    reruns: list[Rerun] = []
    progress: dict[int, ProgressMark] = {}
    log: LogBatch = msgspec.field(default_factory=LogBatch)
    incidents: dict[str, StoredIncident] = {}
    annotations: list[StoredAnnotation] = []
    actions: list[Acted] = []

    def __bool__(self) -> bool:
        return bool(self.inserts or self.requests or self.has_happened)

    @property
    def has_happened(self) -> bool:
        """Tell whether it holds anything that must not be lost."""
        return bool(
            self.starts
            or self.ends
            or self.reruns
            or self.progress
            or self.log
            or self.incidents
            or self.annotations
            or self.actions
        )

    @property
    def number_of_ends(self) -> int:
        return len(self.ends) + len(self.reruns)

    def answers(self) -> "Iterator[asyncio.Future[Any]]":
        """Yield the futures of those who wait: first for inserts, then for requests."""
        for insert in self.inserts:
            yield insert.answer
        for request in self.requests:
            yield request.answer

    def apart(self) -> "Iterator[CommitBatch]":
        """Yield batches of one write each, in order."""
        for insert in self.inserts:
            yield CommitBatch(inserts=[insert])
        for request in self.requests:
            yield CommitBatch(requests=[request])
        for seq, start in self.starts.items():
            yield CommitBatch(starts={seq: start})
        for seq, mark in self.progress.items():
            yield CommitBatch(progress={seq: mark})
        for part in self.log.apart():
            yield CommitBatch(log=part)
        for end in self.ends:
            yield CommitBatch(ends=[end])
        for rerun in self.reruns:
            yield CommitBatch(reruns=[rerun])
        yield from self._events_apart()

    def _events_apart(self) -> "Iterator[CommitBatch]":
        for key, incident in self.incidents.items():
            yield CommitBatch(incidents={key: incident})
        for annotation in self.annotations:
            yield CommitBatch(annotations=[annotation])
        for acted in self.actions:
            yield CommitBatch(actions=[acted])

    def parted(self) -> "tuple[CommitBatch, CommitBatch]":
        asked = CommitBatch(inserts=self.inserts, requests=self.requests)
        return asked, replace(self, inserts=[], requests=[])

    def before(self, newer: "CommitBatch") -> "CommitBatch":
        """Return what has happened in this batch, followed by all of a newer one."""
        ended = {end.seq for end in newer.ends} | {rerun.seq for rerun in newer.reruns}
        starts = {seq: start for seq, start in self.starts.items() if seq not in ended}
        return CommitBatch(
            inserts=newer.inserts,
            requests=newer.requests,
            starts=starts | newer.starts,
            ends=self.ends + newer.ends,
            reruns=self.reruns + newer.reruns,
            progress=self.progress | newer.progress,
            log=self.log.before(newer.log),
            incidents=self.incidents | newer.incidents,
            annotations=self.annotations + newer.annotations,
            actions=self.actions + newer.actions,
        )
