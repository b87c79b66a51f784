"""Puts together what brings tasks to the queues, and what controls them there."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from pooldeck_server.domain.clock import Clock
from pooldeck_server.runtime.advice.advisor import Advisor
from pooldeck_server.runtime.advice.mover import Mover
from pooldeck_server.runtime.advice.placement import Placements
from pooldeck_server.runtime.hosts.hosted_pools import HostedPools
from pooldeck_server.runtime.lifecycle.loading import Kept
from pooldeck_server.runtime.pipelines.releases import Releases
from pooldeck_server.runtime.pipelines.waits import Waits
from pooldeck_server.runtime.recording.annotations import Annotations
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.recording.spans import Spans
from pooldeck_server.runtime.tasks.checking import Checks
from pooldeck_server.runtime.tasks.control import TaskControl
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.runtime.tasks.door import Door
from pooldeck_server.runtime.tasks.intake import Intake
from pooldeck_server.runtime.tasks.requeue import Requeue
from pooldeck_server.runtime.tasks.scheduler import Scheduler
from pooldeck_server.settings import Settings
from pooldeck_server.store.database import Reader


@dataclass(frozen=True, kw_only=True, eq=False)
class Feeding:
    """The parts; none of them is started yet."""

    mover: Mover
    intake: Intake
    tasks: TaskControl
    releases: Releases


def make_feeding(
    *,
    settings: Settings,
    clock: Clock,
    recorder: Recorder,
    reader: Reader,
    kept: Kept,
    queues: Mapping[str, Dispatcher],
    hosting: HostedPools,
    door: Door,
    annotations: Annotations,
    scheduler: Scheduler,
    requeue: Requeue,
    waits: Waits,
    placements: Placements,
    advisor: Advisor,
    spans: Spans | None,
    admit: Callable[[str], Awaitable[None]],
) -> Feeding:
    intake = Intake(
        recorder=recorder,
        reader=reader,
        checks=Checks(
            clock=clock,
            keys=kept.keys,
            functions=kept.functions,
            holds=kept.holds,
            queues=queues,
            hosted=hosting.hosted,
        ),
        queues=queues,
        pools=settings.pools,
        counts=kept.counts,
        door=door,
        scheduler=scheduler,
        spans=spans,
        on_tied=waits.add_due,
        admit=admit,
    )
    return Feeding(
        mover=Mover(
            functions=kept.functions,
            profiles=kept.profiles,
            advisor=advisor,
            queues=queues,
            incidents=kept.incidents,
            placements=placements,
            clock=clock,
        ),
        intake=intake,
        tasks=TaskControl(
            recorder=recorder,
            reader=reader,
            clock=clock,
            queues=queues,
            intake=intake,
            waiters=recorder.waiters,
            door=door,
            annotations=annotations,
            restored=kept.restored,
            check_decided=hosting.earlier.check,
        ),
        releases=Releases(
            waits=waits,
            recorder=recorder,
            reader=reader,
            clock=clock,
            functions=kept.functions,
            limits=settings.limits,
            next_key=kept.keys.next,
            requeue=requeue,
        ),
    )
