"""What a client asks for: the body of an experiment."""

from typing import Annotated, Final, TypeAlias

from msgspec import Meta, Raw, Struct, field

from pooldeck_server.domain.measurements.experiments import (
    MAX_PROCESSES,
    MAX_SAMPLES,
    MAX_SIZES,
    MAX_THREADS,
)
from pooldeck_server.domain.tasks.names import Name
from pooldeck_server.domain.tasks.submission import Args, Kwargs

SECONDS: Final = 2.0
WARMUP: Final = 0.3
LEAST_SECONDS: Final = 0.2
MOST_SECONDS: Final = 60.0
MOST_WARMUP: Final = 30.0

Seconds: TypeAlias = Annotated[
    float, Meta(ge=LEAST_SECONDS, le=MOST_SECONDS, description="How long each size is measured.")
]
Warmup: TypeAlias = Annotated[
    float,
    Meta(ge=0, le=MOST_WARMUP, description="Seconds before that in which calls do not count."),
]
Threads: TypeAlias = Annotated[
    tuple[Annotated[int, Meta(ge=1, le=MAX_THREADS)], ...], Meta(max_length=MAX_SIZES)
]
Processes: TypeAlias = Annotated[
    tuple[Annotated[int, Meta(ge=1, le=MAX_PROCESSES)], ...], Meta(max_length=MAX_SIZES)
]


class SampleRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Arguments to try the function with. They are kept as they are written."""

    args: Args = field(default_factory=lambda: Raw(b"[]"))
    kwargs: Kwargs = field(default_factory=lambda: Raw(b"{}"))


class SizesRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """The sizes to try in pools of each kind; a kind without any is not tried."""

    thread: Threads = ()
    process: Processes = ()


Samples: TypeAlias = Annotated[
    tuple[SampleRequest, ...],
    Meta(
        min_length=1,
        max_length=MAX_SAMPLES,
        description="Default: those of the latest tasks that succeeded, if the function is "
        "idempotent and has no sensitive arguments.",
    ),
]
SizesWanted: TypeAlias = Annotated[
    SizesRequest,
    Meta(description="Default: what suits the CPUs, with more threads while that helps."),
]


class ExperimentRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A function to try in temporary pools of several sizes."""

    function: Name
    samples: Samples | None = None
    sizes: SizesWanted | None = None
    seconds: Seconds = SECONDS
    warmup: Warmup = WARMUP
