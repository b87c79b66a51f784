"""Pools and their workers as the API shows them."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from pooldeck.kinds import PoolKind
from pooldeck_server.domain.pools.controls import PoolControl
from pooldeck_server.domain.pools.health import (
    WORKER_STATES,
    DeadWorker,
    PoolHealth,
    SlotHealth,
    SwitchRates,
)
from pooldeck_server.domain.pools.history import Recent
from pooldeck_server.domain.terminal_text import plain
from pooldeck_server.web.api.schemas.hosts import PoolHost
from pooldeck_server.web.api.schemas.types import Seconds, Timestamp, optional_timestamp, shown
from pooldeck_server.web.text.hosts import count_words
from pooldeck_server.web.text.notices import in_english
from pooldeck_server.web.text.reasons import cause_words, start_words


class Worker(Struct, frozen=True):
    """A worker process of a pool; measured figures are null until they were sampled.

    `restarts` says how many workers had its place before, since the server started, and `replaced`
    names the last of them.
    """

    id: str
    pid: int | None
    state: Annotated[str, Meta(extra_json_schema={"enum": [*WORKER_STATES]})]
    started_at: Timestamp | None
    tasks_done: int
    rss_bytes: int | None
    cpu_percent: float | None
    ctx_switches_per_s: SwitchRates | None
    restarts: int
    replaced: str | None
    code: Annotated[str | None, Meta(description="The same text for the same code.")]
    is_outdated: Annotated[bool, Meta(description="Whether a restart would load other code.")]
    host: Annotated[str | None, Meta(description="Null: on the server's own machine.")]
    slots: tuple[SlotHealth, ...]


class FallenWorker(DeadWorker, frozen=True):
    """A worker that died in the last seconds; `words` is its cause in the reader's language."""

    words: str


class Pool(Struct, frozen=True):
    """A pool at this moment; `queued` counts all that wait, `reason` says why it is broken.

    `spare` counts workers that are ready to take a dead one's place, `restarts` those that were
    replaced since the server started; `dead` are those that died in the last seconds. `recent` is
    what the pool did in the last minutes, the switches are of all its workers. `notice` says in
    words what needs attention (a line for each), and `controls` is what was set by hand. `why` is
    `reason` in the language of the stream. `hosts` are those that its workers are on, null where it
    lives on the server's own machine, and `hosts_words` says how many in the same language;
    `engine` says why the engine that is to place hosts does not, and `wanted_hosts` how many it is
    asked for: null where hosts are started by hand.
    """

    name: str
    kind: Annotated[str, Meta(extra_json_schema={"enum": [*PoolKind]})]
    size: Annotated[int, Meta(description="Where it has hosts, of each of them.")]
    slots: Annotated[int, Meta(description="All that there are.")]
    state: Annotated[
        str,
        Meta(extra_json_schema={"enum": ["running", "paused", "draining", "broken", "stopped"]}),
    ]
    reason: str | None
    why: str | None
    busy: int
    queued: int
    oldest_wait: Seconds | None
    incidents: int
    spare: int
    restarts: int
    dead: list[FallenWorker]
    ctx_switches_per_s: SwitchRates | None
    recent: Recent | None
    notice: str | None
    controls: PoolControl | None
    hosts: list[PoolHost] | None
    hosts_words: str | None
    engine: str | None
    wanted_hosts: int | None
    workers: list[Worker]

    @classmethod
    def of(cls, pool: PoolHealth) -> Self:
        workers = [
            shown(Worker, worker, started_at=optional_timestamp(worker.started_at))
            for worker in pool.workers
        ]
        reason = None if pool.reason is None else plain(pool.reason)
        return shown(
            cls,
            pool,
            reason=reason,
            why=None if reason is None else start_words(reason),
            notice=in_english(pool.notices),
            dead=[shown(FallenWorker, each, words=cause_words(each.cause)) for each in pool.dead],
            workers=workers,
            hosts=PoolHost.all_of(pool.hosts),
            hosts_words=None if pool.hosts is None else count_words(pool.hosts),
        )


class PoolList(Struct, frozen=True):
    """All pools, in the order of the settings."""

    items: list[Pool]
