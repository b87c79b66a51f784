"""Pipelines as a whole: taken in, read, cancelled."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Struct

from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import NotFound
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.pipelines import (
    PipelineRequest,
    PlannedPipeline,
    StoredPipeline,
    planned,
    step_pointer,
)
from pooldeck_server.domain.tasks.submission import BulkDone
from pooldeck_server.runtime.pipelines.drafting import Drafting
from pooldeck_server.runtime.tasks.control import TaskControl
from pooldeck_server.runtime.tasks.door import Door
from pooldeck_server.runtime.tasks.idempotency import IdempotencyKeys, check_same, deleted_under
from pooldeck_server.runtime.tasks.intake import Intake
from pooldeck_server.store import queries
from pooldeck_server.store.database import Reader

_LOOKS: Final = 3


class Submitted(Struct, frozen=True):
    """A pipeline that is stored: its id, and those of the tasks of each step."""

    id: str
    tasks: dict[str, tuple[str, ...]]


@dataclass(kw_only=True, eq=False)
class Pipelines:
    """The door for pipelines."""

    intake: Intake
    reader: Reader
    clock: Clock
    door: Door
    most: int  # how many tasks one may have
    tasks: TaskControl

    def __post_init__(self) -> None:
        self._keys = IdempotencyKeys(self.reader)

    async def submit(
        self, request: PipelineRequest, idempotency_key: str | None = None
    ) -> Submitted:
        """Store a pipeline's tasks in one commit, or find those that its key stands for.

        Raises:
            PooldeckError: If any step is refused; nothing is stored then.
        """
        self.door.check()
        if idempotency_key is None:
            return await self._store(request)
        fingerprint = _fingerprint(request)
        async with self._keys.hold([idempotency_key]):
            owner = await self.reader.run(queries.pipeline_by_key, idempotency_key)
            gone = await self.reader.run(queries.deleted_by_key, "pipeline", idempotency_key)
            if owner is None and gone is not None:
                check_same(idempotency_key, gone.fingerprint, fingerprint)
                raise deleted_under(idempotency_key, "pipeline", gone)
            if owner is None:
                return await self._store(request, idempotency_key, fingerprint)
            check_same(idempotency_key, owner.fingerprint, fingerprint)
            return Submitted(owner.id, await self.reader.run(queries.pipeline_tasks, owner.id))

    async def _store(
        self, request: PipelineRequest, key: str | None = None, fingerprint: str | None = None
    ) -> Submitted:
        pipeline = PlannedPipeline(
            self.intake.checks.keys.next().id,
            request.name,
            self.clock.now(),
            idempotency_key=key,
            fingerprint=fingerprint,
        )
        await self.intake.admit_callbacks(
            ({"step": name, "field": step_pointer(name, "callback")}, step)
            for name, step in request.tasks.items()
        )
        with self.intake.traced("pipeline"):
            drafting = Drafting(check=self.intake.checks.of_call().check, most=self.most)
            draft = drafting.draft(pipeline, planned(request))
            await self.intake.store(draft.tasks, draft.ties)
        return Submitted(pipeline.id, draft.ids)

    async def get(self, pipeline_id: str) -> StoredPipeline:
        """Return a pipeline and how far it is.

        Raises:
            NotFound: If there is no such pipeline.
        """
        found = await self.reader.run(queries.pipeline, pipeline_id)
        if found is None:
            gone = await self.reader.run(queries.deleted, "pipeline", pipeline_id)
            was = " any more: it was deleted with its tasks" if gone else ""
            raise NotFound(f"there is no pipeline {pipeline_id}{was}")
        return found

    async def cancel(
        self, pipeline_id: str, *, kill: bool = False, reason: str | None = None
    ) -> BulkDone:
        """Cancel every task that has not ended, as one task is cancelled. Raises as `get`."""
        await self.get(pipeline_id)
        wanted = TaskFilter(pipelines=(pipeline_id,))
        outcomes: Counter[str] = Counter()
        for _ in range(_LOOKS):  # a step may have been spread over a list meanwhile
            done = await self.tasks.cancel_all(wanted, kill=kill, reason=reason)
            outcomes.update(done.outcomes)
            if not done.outcomes.get("cancelled"):
                break
        return BulkDone(outcomes.total(), dict(outcomes))


def _fingerprint(request: PipelineRequest) -> str:
    return hashlib.blake2b(msgspec.json.encode(request), digest_size=16).hexdigest()
