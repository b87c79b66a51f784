"""Hosts of pools as the API shows them."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Self

from msgspec import Meta, Struct

from pooldeck_server.domain.pools.hosts import HostHealth, HostTask
from pooldeck_server.domain.terminal_text import plain
from pooldeck_server.web.api.schemas.types import Timestamp, optional_timestamp, shown, timestamp
from pooldeck_server.web.text.hosts import contact_words


class PoolHost(Struct, frozen=True):
    """A host of a pool: one process on a machine, that runs the pool's calls under a lease.

    `busy` of its `slots` run something, or may: `tasks` names what. While there is `no_contact`,
    its tasks may run on, and are lost at `lost_at` unless it comes back. One that is `gone` runs
    nothing any more, for certain: by the end of its `lease`, by its `own_word`, or by that of its
    `successor`, the next host process on its machine. `words` say so in a sentence, "" while all is
    well. One that was `refused` has its `reason`. Hosts that are gone or were refused are listed
    for some minutes.
    """

    name: str
    pool: str
    boot: Annotated[str, Meta(description="Which of the processes of that name it is.")]
    state: Annotated[
        str,
        Meta(extra_json_schema={"enum": ["attached", "no_contact", "draining", "gone", "refused"]}),
    ]
    reason: str | None
    words: str
    hostname: str
    machine: str
    address: Annotated[str, Meta(description="Where it dialled from.")]
    cpus: int
    since: Timestamp
    last_contact: Timestamp
    lost_at: Timestamp | None
    gone_at: Timestamp | None
    gone_by: Annotated[
        str | None,
        Meta(extra_json_schema={"enum": ["lease", "own_word", "successor", None]}),
    ]
    pool_state: Annotated[str, Meta(description="Whether its own part of the pool runs calls.")]
    slots: int
    busy: int
    workers: tuple[str, ...]
    tasks: tuple[HostTask, ...]
    load: Annotated[float | None, Meta(description="Its load average over a minute.")]
    memory_bytes: int | None
    memory_used: Annotated[int | None, Meta(description="Of the machine, by anybody; in bytes.")]
    code: Annotated[str | None, Meta(description="The same text for the same code.")]
    versions: Mapping[str, str]
    has: Annotated[Mapping[str, float], Meta(description="What tasks may need of it.")]

    @classmethod
    def of(cls, host: HostHealth) -> Self:
        return shown(
            cls,
            host,
            reason=None if host.reason is None else plain(host.reason),
            words=plain(contact_words(host)),
            since=timestamp(host.since),
            last_contact=timestamp(host.last_contact),
            lost_at=optional_timestamp(host.lost_at),
            gone_at=optional_timestamp(host.gone_at),
        )

    @classmethod
    def all_of(cls, hosts: Iterable[HostHealth] | None) -> list[Self] | None:
        return None if hosts is None else [cls.of(host) for host in hosts]


class PoolHostList(Struct, frozen=True):
    """The hosts of all pools, in the order of the settings."""

    items: list[PoolHost]
