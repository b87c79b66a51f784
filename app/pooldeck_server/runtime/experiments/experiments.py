"""Keeps the experiments, and runs one at a time: two would measure each other."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from msgspec.structs import replace

from pooldeck.cpus import usable_cpus
from pooldeck.kinds import PoolKind
from pooldeck_server.domain.actions import Action, Deed
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import Conflict, NotFound
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.measurements.experiment_request import ExperimentRequest
from pooldeck_server.domain.measurements.experiments import (
    SHOWN_SAMPLES,
    ExperimentState,
    MeasuredSize,
    SampleCall,
    StoredExperiment,
)
from pooldeck_server.domain.tasks.ids import TaskIds
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.experiments.pools import TemporaryPools
from pooldeck_server.runtime.experiments.preparing import plan_of, samples_of, shown
from pooldeck_server.runtime.experiments.sweep import Sweep
from pooldeck_server.runtime.experiments.trial import Trial
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.door import Door
from pooldeck_server.runtime.tasks.functions import Functions
from pooldeck_server.runtime.tasks.holds import Holds
from pooldeck_server.runtime.tasks.restored import Restored
from pooldeck_server.settings import Settings
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader
from pooldeck_server.store.transaction import Transaction

_log = logging.getLogger(__name__)


@dataclass(kw_only=True, eq=False)
class Experiments:
    """All experiments."""

    settings: Settings
    clock: Clock
    recorder: Recorder
    reader: Reader
    pools: TemporaryPools
    functions: Functions
    holds: Holds
    queues: Mapping[str, Dispatcher]  # the server's own pools, whose tasks disturb what is measured
    door: Door
    restored: Restored
    changes: LiveChanges
    _ended_by: Literal["person", "server"] | None = field(init=False, default=None)
    _present: StoredExperiment | None = field(init=False, default=None)
    _running: asyncio.Task[None] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._ids = TaskIds(self.clock)

    # What is asked for.

    async def begin(self, request: ExperimentRequest) -> StoredExperiment:
        """Begin an experiment; return it when it is stored.

        Raises:
            Conflict: If another one runs, a backup's tasks wait for a word, or the function's
                pool is on hosts.
            PooldeckError: If it is refused for another reason; nothing is stored then.
        """
        self.restored.check()
        function = self._function(request.function)
        self._refuse_a_second()
        self._refuse_on_hosts(function)
        samples = await samples_of(
            request, function, self.settings.limits.arguments_bytes, self._latest
        )
        self._refuse_a_second()  # another one may have begun while the store was read
        experiment = StoredExperiment(
            id=self._ids.next(),
            function=function.spec.name,
            state=ExperimentState.RUNNING,
            created_at=self.clock.now(),
            plan=plan_of(request, usable_cpus()),
            source="latest" if request.samples is None else "given",
            samples=len(samples),
            shown=shown(samples[:SHOWN_SAMPLES], function),
            cpus=usable_cpus(),
        )
        self._present = experiment
        try:
            await self._save_begun(experiment)
        except BaseException:
            self._present = None
            raise
        self._ended_by = None
        self._running = asyncio.create_task(self._run(experiment, function, samples))
        self._running.add_done_callback(self._forget)
        return experiment

    async def stop(self, experiment_id: str) -> StoredExperiment:
        """Stop an experiment if it runs; return it as it is then. Raises as `get`."""
        if self._present is not None and self._present.id == experiment_id:
            if self._ended_by is None:
                self.recorder.record_action(self._action(Deed.STOP_EXPERIMENT, self._present))
            self._cancel("person")
            await self._ended()
        return await self.get(experiment_id)

    def end(self) -> None:
        """Let the one that runs end, as the server does; the door lets none begin any more."""
        self._cancel("server")

    async def close(self) -> None:
        self.end()
        await self._ended()

    def _cancel(self, by: Literal["person", "server"]) -> None:
        if self._running is not None and self._ended_by is None:  # once: its end takes a while
            self._ended_by = by
            self._running.cancel()

    async def _ended(self) -> None:
        if self._running is not None:
            await asyncio.wait([self._running])

    # What is looked at.

    @property
    def present(self) -> StoredExperiment | None:
        """Return the one that runs, ahead of what is stored of it; None if none does."""
        return self._present

    async def get(self, experiment_id: str) -> StoredExperiment:
        """Return an experiment as it is now.

        Raises:
            NotFound: If there is none of that id.
        """
        if self._present is not None and self._present.id == experiment_id:
            return self._present
        found = await self.reader.run(queries.experiment, experiment_id)
        if found is None:
            raise NotFound(f"there is no experiment {experiment_id}")
        return found

    async def latest(self, function: str | None = None, limit: int = 50) -> list[StoredExperiment]:
        """Return experiments, the newest first; of one function, if one is named."""
        kept = await self.reader.run(queries.experiments, function, limit)
        now = self._present
        return [now if now is not None and each.id == now.id else each for each in kept]

    # Running.

    def _function(self, name: str) -> RegisteredFunction:
        self.door.check()
        function = self.functions.catalogue.wanted(name)
        self.holds.check_runs(name)
        return function

    def _refuse_a_second(self) -> None:
        if self._present is not None:
            raise Conflict(
                f"experiment {self._present.id} is running; two would measure each other: wait "
                "until it has ended, or stop it",
                experiment=self._present.id,
            )

    def _refuse_on_hosts(self, function: RegisteredFunction) -> None:
        """Refuse what would be measured on another machine than it runs on."""
        pool = self.settings.pools.get(function.pool)
        if pool is not None and pool.hosts is not None:
            raise Conflict(
                f"{function.spec.name} runs in pool {function.pool}, which is on hosts, and an "
                "experiment would measure it on the server's machine: set another pool for it, "
                "and measure it there"
            )

    async def _latest(self, function: str, limit: int) -> Sequence[SampleCall]:
        return await self.reader.run(queries.latest_samples, function, limit)

    async def _run(
        self,
        experiment: StoredExperiment,
        function: RegisteredFunction,
        samples: Sequence[SampleCall],
    ) -> None:
        began = self.clock.monotonic()

        async def measure(kind: PoolKind, size: int) -> MeasuredSize:
            trial = Trial(
                id=experiment.id,
                function=function.spec.name,
                samples=samples,
                timeout=function.spec.options.timeout,
                busy=self._busy,
            )
            pool = self.pools.make(function.pool, kind, size, trial)
            return await trial.measure(pool, experiment.plan.seconds, experiment.plan.warmup)

        sweep = Sweep(
            experiment=experiment,
            measure=measure,
            elapsed=lambda: self.clock.monotonic() - began,
            save=self._save_progress,
        )
        try:
            await sweep.run()
        except asyncio.CancelledError:
            sweep.experiment = replace(
                sweep.experiment, state=ExperimentState.STOPPED, ended_by=self._ended_by, now=None
            )
        except Exception:  # noqa: BLE001 - whatever it is, the next experiment must be able to run
            _log.exception("experiment %s failed by a defect of the server", experiment.id)
            sweep.experiment = replace(
                sweep.experiment, state=ExperimentState.FAILED, ended_by=self._ended_by, now=None
            )
        await self._save(replace(sweep.experiment, finished_at=self.clock.now()))

    async def _save_begun(self, experiment: StoredExperiment) -> None:
        action = self._action(Deed.BEGIN_EXPERIMENT, experiment)

        def write(transaction: Transaction) -> None:
            records.save_experiment(transaction, experiment)
            records.act(transaction, action)

        await self.recorder.perform(write)

    def _action(self, deed: Deed, experiment: StoredExperiment) -> Action:
        after = {"function": experiment.function}
        return acting.action(self.clock.now(), deed, "experiment", experiment.id, after=after)

    def _busy(self) -> int:
        return sum(queue.pool.busy for queue in self.queues.values())

    async def _save_progress(self, experiment: StoredExperiment) -> None:
        if experiment.state is not ExperimentState.RUNNING:
            return  # its end is kept with the time of it
        self._present = experiment
        self.changes.mark_dirty()
        await self._save(experiment)

    def _forget(self, _: "asyncio.Task[None]") -> None:
        self._present = self._running = None
        self.changes.mark_dirty()

    async def _save(self, experiment: StoredExperiment) -> None:
        what = f"what experiment {experiment.id} found"
        await self.recorder.try_perform(lambda tx: records.save_experiment(tx, experiment), what)
