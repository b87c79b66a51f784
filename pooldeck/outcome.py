"""The outcome of an attempt, as plain bounded data.

A worker turns whatever happened into an `Outcome` before it reports: a live exception, a result
object or a traceback never crosses the pipe. Everything here is text and numbers, so the server can
keep and show it without importing, unpickling or evaluating anything of the user's.
"""

from enum import StrEnum

from msgspec import Struct

from pooldeck.quantities import Average, Count, Seconds


class ErrorKind(StrEnum):
    """Why an attempt ended without a result."""

    EXCEPTION = "exception"  # the function raised
    TIMEOUT = "timeout"
    CRASHED = "crashed"  # its worker died under it, and it is the culprit
    BAD_ARGUMENTS = "bad_arguments"  # found by the worker while converting
    BAD_RESULT = "bad_result"  # not JSON, or too large
    ABANDONED = "abandoned"  # killed on request, but a thread cannot be
    BYSTANDER = "bystander"  # shared a worker with a culprit, or may be the culprit itself
    INTERRUPTED = "interrupted"  # the server died while it was claimed or ran
    HOST_LOST = "host_lost"  # the host that had it is certainly gone


class Error(Struct, frozen=True, omit_defaults=True):
    """An error as text; each field is bounded by the worker's limits.

    `returned` is what the function returned, in words, where that cannot be its result.
    """

    kind: ErrorKind
    type: str
    message: str
    traceback: str | None = None
    cause: "Error | None" = None
    returned: str | None = None


class Measurement(Struct, frozen=True, omit_defaults=True):
    """What one run cost, measured in the worker.

    Times are in seconds. `run` is the wall time of the function's body, `cpu` the CPU time of the
    thread that ran it, `child_cpu` that of child processes it waited for, `helper_cpu` that of
    other threads that worked for it; switches are those of the running thread. `beside` is how many
    other calls ran in the process when it began or ended, whichever is more. `throttled` is how
    often the function said that its target throttled it, `throttled_seconds` for how long in all.
    `delayed` is for how long the thread was ready to run and no CPU was free, `child_delayed` the
    same of the children that it waited for; `system_cpu` is the share of `cpu` in system calls.
    `page_faults` is how often the kernel had to give it a page of memory, from wherever. `overlap`
    is for how much of `run` other calls of its function stand, if each moment is divided among all
    of them that ran in the process at it.
    `None` where the platform cannot tell.
    """

    run: Seconds
    cpu: Seconds
    child_cpu: Seconds = 0.0
    decode: Seconds = 0.0
    encode: Seconds = 0.0
    voluntary_switches: Count | None = None
    involuntary_switches: Count | None = None
    peak_rss_bytes: Count | None = None
    arguments_bytes: Count = 0
    result_bytes: Count = 0
    helper_cpu: Seconds = 0.0
    rss_growth_bytes: Count | None = None
    beside: Count = 0
    throttled: Count = 0
    throttled_seconds: Seconds = 0.0
    delayed: Seconds | None = None
    child_delayed: Seconds = 0.0
    system_cpu: Seconds = 0.0
    page_faults: Count = 0
    overlap: Seconds = 0.0


class Observation(Struct, frozen=True, array_like=True):
    """What the probe has seen of the running calls of one function, in seconds of those calls.

    Each look counts for the time since the one before it. A thread wants the GIL or holds it
    (`held`), is on a CPU or waits for one without the GIL (`free`), or waits for something else
    (`waiting`); `delayed` is for how long of that it was ready and no CPU was. `beside` is the mean
    number of other calls in the process. `held` and `delayed` grow with them, the others do not.

    `helper_cpu` is how long threads that are no slot's were on a CPU meanwhile, where all calls
    were of this function, and `helper_delayed` for how long, of `waiting`, they lacked one.
    `helper_ready` is how long each of them was on a CPU or lacked one, added up. `unclaimed_cpu` is
    how long such threads were on a CPU where calls of several functions ran.
    """

    function: str
    looks: Count
    held: Seconds
    free: Seconds
    waiting: Seconds
    delayed: Seconds
    beside: Average
    helper_cpu: Seconds = 0.0
    helper_delayed: Seconds = 0.0
    helper_ready: Seconds = 0.0
    unclaimed_cpu: Seconds = 0.0


class Outcome(Struct, frozen=True, omit_defaults=True):
    """How an attempt ended: `result` (JSON bytes) or `error`, and what it cost if it ran.

    `cancelled`: it was killed on request, or ended itself with a `CancelledError` after it had been
    asked to; it has neither result nor error then.
    """

    result: bytes | None = None
    error: Error | None = None
    measurement: Measurement | None = None
    cancelled: bool = False
