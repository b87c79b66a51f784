"""How long a function's latest runs took: the neighbours of one task."""

from msgspec import Struct

from pooldeck_server.domain.tasks.states import State


class LatestRun(Struct, frozen=True):
    """A task that ran and ended; `run_seconds` is how long its last attempt ran."""

    seq: int
    id: str
    state: State
    run_seconds: float
    finished_at: int  # microseconds since the epoch
