"""Starts what brings tasks on that wait for others."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

from pooldeck_server.domain.tasks.changes import TaskChanged
from pooldeck_server.runtime.lifecycle.ground import Ground
from pooldeck_server.runtime.pipelines.pipelines import Pipelines
from pooldeck_server.runtime.pipelines.releases import Releases
from pooldeck_server.runtime.tasks.control import TaskControl
from pooldeck_server.runtime.tasks.intake import Intake


async def open_pipelines(
    ground: Ground,
    intake: Intake,
    tasks: TaskControl,
    follow: Callable[[Sequence[TaskChanged]], None],
    stack: AsyncExitStack,
) -> Pipelines:
    """Begin to release tasks, and return the door for pipelines.

    Args:
        ground: The record, and what is known of the server.
        intake: Checks and stores tasks.
        tasks: Cancels them.
        follow: Given the moves of tasks that became queued.
        stack: Ends what was begun.

    Raises:
        StorageUnavailable: If the store cannot be read.
    """
    limits = ground.settings.limits
    releases = Releases(
        waits=ground.waits,
        recorder=ground.recorder,
        reader=ground.reader,
        clock=ground.clock,
        catalogue=lambda: ground.directory.catalogue,
        limits=limits,
        next_key=intake.next_key,
        follow=follow,
    )
    await releases.start()
    stack.push_async_callback(releases.stop)
    return Pipelines(intake, ground.reader, ground.clock, limits.batch_tasks, tasks.cancel_all)
