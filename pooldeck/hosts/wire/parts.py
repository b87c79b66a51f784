"""What frames between a server and its hosts carry: machines, pools and workers, as values."""

from msgspec import Struct

from pooldeck.commands import Command
from pooldeck.kinds import PoolKind
from pooldeck.pools.model import PoolSpec, WorkerState
from pooldeck.protocol import Limits
from pooldeck.tracing import Tracing


class Machine(Struct, frozen=True, array_like=True):
    """A machine, and what of its processes can be seen from where the host's process runs."""

    id: str
    boot_id: str  # of this start of its kernel
    pid_namespace: str  # processes of another one cannot be seen
    hostname: str
    cpus: int
    memory_bytes: int

    def sees_processes_of(self, other: "Machine") -> bool:
        """Tell whether a process here can find those that another process has left."""
        mine = (self.id, self.boot_id, self.pid_namespace)
        return mine == (other.id, other.boot_id, other.pid_namespace)


class HostPool(Struct, frozen=True, array_like=True):
    """What the pool on a host is made of: what its server's settings say, without paths."""

    name: str
    kind: PoolKind
    size: int
    modules: tuple[str, ...]
    initializer: str | None
    limits: Limits
    boot_seconds: float
    spare: int
    max_tasks_per_worker: int
    max_memory_bytes: int
    asked_seconds: float
    start_seconds: float
    leave_seconds: float
    restores_environment: bool
    probes: bool
    commands: tuple[Command, ...]
    tracing: Tracing | None
    native_threads: int | None

    @classmethod
    def of(cls, spec: PoolSpec) -> "HostPool":
        """Return what a host is told of a pool."""
        return cls(**{name: getattr(spec, name) for name in cls.__struct_fields__})

    def spec(self) -> PoolSpec:
        """Return what the host's own pool is made of."""
        return PoolSpec(**{name: getattr(self, name) for name in self.__struct_fields__})


class WorkerIs(Struct, frozen=True, array_like=True):
    """A worker of a host at one moment."""

    id: str
    pid: int
    state: WorkerState
    started_ago: float
    slots: int
    tasks_done: int
    is_open: bool


class WorkerSample(Struct, frozen=True, array_like=True):
    """What a worker uses."""

    worker: str
    cpu_seconds: float
    rss_bytes: int
