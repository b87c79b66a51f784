"""Makes what places functions, and what advises on pools, of the parts that are there."""

from collections.abc import Callable, Mapping

from pooldeck_server.domain.errors import PooldeckError, StartupError
from pooldeck_server.runtime.advice.placement import Placements
from pooldeck_server.runtime.advice.sizes import Sizes
from pooldeck_server.runtime.lifecycle.ground import Ground
from pooldeck_server.runtime.tasks.dispatcher import Dispatcher


async def open_placements(ground: Ground, on_change: Callable[[], None]) -> Placements:
    """Return what places functions, with those given back that measurements had moved.

    Args:
        ground: Knows the pools, and where each function is.
        on_change: Called after a change.

    Raises:
        StartupError: If one could not be given back.
    """
    placements = Placements(
        directory=ground.directory,
        pools=ground.settings.pools,
        reader=ground.reader,
        recorder=ground.recorder,
        annotations=ground.annotations,
        clock=ground.clock,
        on_change=on_change,
    )
    try:
        await placements.give_back_measured()
    except PooldeckError as error:
        raise StartupError(f"the server cannot start: {error}") from error
    return placements


def make_sizes(ground: Ground, queues: Mapping[str, Dispatcher]) -> Sizes:
    """Return what advises on the sizes of the pools."""
    return Sizes(
        reader=ground.reader,
        clock=ground.clock,
        profiles=ground.profiles,
        settings=ground.settings.pools,
        queues=queues,
    )
