"""What the machine under the server has and how busy it is, at a moment."""

from msgspec import Struct


class CpuPressure(Struct, frozen=True):
    """The share of time (0 to 1) in which something was ready to run and waited for a CPU.

    Over the last 10 s, 60 s and 5 min, as the kernel's pressure stall information has it.
    """

    avg10: float
    avg60: float
    avg300: float


class Machine(Struct, frozen=True):
    """The CPUs that the server's processes may use, and how much they are wanted.

    `cpus` is the smaller of `affinity` (the scheduler's mask) and `quota` (the cgroup's, in CPUs;
    None: there is none), rounded up. `load` is the mean number of tasks that run or want to, of the
    whole machine, over 1, 5 and 15 minutes. None where the platform does not tell.
    """

    cpus: int
    affinity: int
    quota: float | None = None
    pressure: CpuPressure | None = None
    load: tuple[float, float, float] | None = None
