"""What `[pools.NAME]` sets: one pool."""

from typing import Annotated, Final, Self

from pydantic import BaseModel, Field, model_validator

from pooldeck import needs
from pooldeck.cpus import usable_cpus
from pooldeck.kinds import KINDS, PoolKind
from pooldeck_server.settings.hosts import HostedSettings
from pooldeck_server.settings.units import unit

MAX_POOL_SIZE: Final = 1000
"""Slots."""

MAX_THREADS_PER_TASK: Final = 1000

_MEBIBYTE: Final = 1024 * 1024


class PoolSettings(BaseModel, extra="forbid", frozen=True):
    """One pool, as `[pools.NAME]` sets it."""

    kind: PoolKind = Field(
        description="thread: one worker with a thread for each slot; process: a worker for each."
    )
    size: Annotated[int, Field(ge=1, le=MAX_POOL_SIZE), unit("slots")] | None = Field(
        default=None,
        description="How many calls run at a time. "
        "Default: min(32, CPUs + 4) threads, or as many processes as usable CPUs.",
    )
    initializer: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$",
        description="`module.function`, run once in every worker before it is ready.",
    )
    queue_limit: Annotated[int, Field(ge=1), unit("tasks")] = Field(
        default=100_000, description="How many may wait; more get 429 `queue_full`."
    )
    spare: Annotated[int, Field(ge=0, le=100), unit("workers")] | None = Field(
        default=None,
        description="Ready workers of a process pool that take a dead one's place. "
        "Default: 1 for processes; threads have none.",
    )
    max_tasks_per_worker: Annotated[int, Field(ge=0)] = Field(
        default=0, description="A worker is replaced after so many tasks; 0: never."
    )
    max_memory_mb: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="A worker over it is replaced, one over 1.5 times it is killed; 0: never.",
    )
    threads_per_task: (
        Annotated[int, Field(ge=0, le=MAX_THREADS_PER_TASK), unit("threads")] | None
    ) = Field(
        default=None,
        description="Threads that native libraries (OpenMP, BLAS, Arrow) may start for a task; 0: "
        "as many as they like. Default: the CPUs divided among the processes; for threads 0.",
    )

    start_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=10.0,
        description="Seconds for a worker to begin a task that it was given. One that does not is "
        "replaced, unless C code holds its GIL.",
    )
    leave_seconds: Annotated[float, Field(gt=0, le=3600)] = Field(
        default=2.0,
        description="Seconds for a worker that is sent away to end as a program does.",
    )
    has: dict[
        Annotated[str, Field(pattern=f"^{needs.NAME}$")],
        Annotated[float, Field(gt=0, le=needs.MOST)],
    ] = Field(
        default={},
        max_length=needs.MOST_NAMES,
        description="What the server's machine has for tasks of this pool that need it, as "
        "`{ gpu = 1 }`; `cpus` and `memory_gb` are known unless they are set.",
    )
    restore_environment: bool = Field(
        default=True,
        description="Whether each task in a process finds the environment that the initializer "
        "left. Threads share theirs.",
    )
    hosts: HostedSettings | None = None

    @property
    def slots(self) -> int:
        """Return the pool's size: the one that was set, or the stdlib's default for its kind."""
        if self.size is not None:
            return self.size
        return KINDS[self.kind].default_size(usable_cpus())

    @property
    def spares(self) -> int:
        """Return how many ready workers there are beside those of the size."""
        return KINDS[self.kind].spares if self.spare is None else self.spare

    @property
    def max_memory_bytes(self) -> int:
        """Return the memory above which a worker is replaced, 0 for no limit."""
        return self.max_memory_mb * _MEBIBYTE

    @model_validator(mode="after")
    def _hosts_have_a_size(self) -> Self:
        if self.hosts is not None and self.size is None:
            raise ValueError("size is missing: say how many slots each host has")
        return self

    @model_validator(mode="after")
    def _one_worker_has_no_spare(self) -> Self:
        if self.spare and not KINDS[self.kind].spares:
            raise ValueError(
                f"spare: a {self.kind} pool is one worker and keeps none in reserve; "
                "take spare out, or set it to 0"
            )
        return self
