"""Starts the part of the server that makes experiments."""

import logging
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.runtime.experiments.experiments import Experiments
from pooldeck_server.runtime.experiments.pools import TemporaryPools
from pooldeck_server.runtime.lifecycle.ground import Ground
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher
from pooldeck_server.store import records

_log = logging.getLogger(__name__)


async def open_experiments(
    ground: Ground,
    queues: Mapping[str, Dispatcher],
    boot: str,
    on_change: Callable[[], None],
    stack: AsyncExitStack,
) -> Experiments:
    """Note what an earlier server did not end, and return what begins new experiments.

    Args:
        ground: The store, the functions and the settings.
        queues: The server's own pools.
        boot: The mark of this run of the server.
        on_change: Told whenever more is known of the experiment that runs.
        stack: Stops it.
    """
    try:
        now = ground.clock.now()
        await ground.recorder.perform(lambda tx: records.stop_experiments(tx, now))
    except PooldeckError as error:
        _log.warning("experiments of an earlier server are still shown as running: %s", error)
    experiments = Experiments(
        settings=ground.settings,
        clock=ground.clock,
        recorder=ground.recorder,
        reader=ground.reader,
        pools=TemporaryPools(ground, boot),
        catalogue=lambda: ground.directory.catalogue,
        holds=ground.holds,
        queues=queues,
        on_change=on_change,
    )
    stack.push_async_callback(experiments.close)
    return experiments
