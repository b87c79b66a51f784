"""Makes what acts on advice, and what advises on pools, of the parts that are there."""

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack

from app.runtime.advice.advisor import Advisor
from app.runtime.advice.placement import Placements
from app.runtime.advice.sizes import Sizes
from app.runtime.life.ground import Ground
from app.runtime.work.dispatcher import Dispatcher


def open_placements(
    ground: Ground,
    queues: Mapping[str, Dispatcher],
    advisor: Advisor,
    on_change: Callable[[], None],
    stack: AsyncExitStack,
) -> Placements:
    """Start what moves the functions that leave their pool to the server.

    Args:
        ground: Knows what was measured, and where each function is.
        queues: The pools, by name.
        advisor: Knows the shapes of the pools.
        on_change: Called after a move.
        stack: Stops it.
    """
    placements = Placements(
        directory=ground.directory,
        profiles=ground.profiles,
        advisor=advisor,
        queues=queues,
        incidents=ground.incidents,
        recorder=ground.recorder,
        annotations=ground.annotations,
        clock=ground.clock,
        on_change=on_change,
    )
    placements.start()
    stack.push_async_callback(placements.stop)
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
