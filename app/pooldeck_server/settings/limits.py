"""What `[limits]` and `[shared]` set: bounds on what requests, tasks and shared state may take."""

from typing import Annotated

from pydantic import BaseModel, Field

from pooldeck_server.domain.tasks.kept_lines import LogBounds
from pooldeck_server.settings.units import unit


class LimitSettings(BaseModel, extra="forbid", frozen=True):
    """Bounds on what one request, task or client may take."""

    body_bytes: Annotated[int, Field(ge=1024)] = Field(
        default=16 * 1024 * 1024, description="The largest body of a request; more gets 413."
    )
    arguments_bytes: Annotated[int, Field(ge=16)] = Field(
        default=1024 * 1024, description="The largest arguments of one task, as JSON."
    )
    result_bytes: Annotated[int, Field(ge=16, le=48 * 1024 * 1024)] = Field(
        default=10 * 1024 * 1024,
        description="The largest result of one task, as JSON; a larger one fails as `bad_result`.",
    )
    depth: Annotated[int, Field(ge=1, le=200), unit("levels")] = Field(
        default=64, description="How deep arguments and results may be nested."
    )
    error_message_bytes: Annotated[int, Field(ge=256)] = Field(
        default=64 * 1024,
        description="What is kept of an error's message, and of one line of a task's log.",
    )
    traceback_bytes: Annotated[int, Field(ge=256)] = Field(
        default=256 * 1024, description="What is kept of a traceback: its beginning and its end."
    )
    log_lines: Annotated[int, Field(ge=1)] = Field(
        default=10_000,
        description="What is kept of the log of one attempt: half of it are its first lines, half "
        "its last.",
    )
    log_bytes: Annotated[int, Field(ge=1024)] = Field(
        default=1024 * 1024, description="The same, in bytes: what is reached first counts."
    )
    log_errors: Annotated[int, Field(ge=0), unit("lines")] = Field(
        default=1000,
        description="So many of its first and of its last errors are kept beside them.",
    )
    batch_tasks: Annotated[int, Field(ge=1)] = Field(
        default=10_000, description="The most tasks of one batch, one pipeline or one list of ids."
    )
    header_seconds: Annotated[float, Field(gt=0)] = Field(
        default=10.0, description="How long the head of a request may take to arrive."
    )
    body_seconds: Annotated[float, Field(gt=0)] = Field(
        default=30.0, description="How long its body may take after that; later gets 408."
    )
    write_seconds: Annotated[float, Field(gt=0)] = Field(
        default=30.0,
        description="How long an answer may wait for a reader that takes nothing of it; then the "
        "connection is cut off.",
    )
    unread_bytes: Annotated[int, Field(ge=1024 * 1024)] = Field(
        default=256 * 1024 * 1024,
        description="What all answers may take together that wait for slow readers; over it, those "
        "that wait longest are cut off.",
    )
    connections: Annotated[int, Field(ge=1)] = Field(
        default=4096,
        description="Open connections, if three quarters of the limit of descriptors allow as "
        "many; idle ones make room for new ones, then more get 503.",
    )
    connections_per_address: Annotated[int, Field(ge=1)] = Field(
        default=3072,
        description="The same for one address of a client or a proxy, at most three quarters of "
        "all.",
    )
    streams: Annotated[int, Field(ge=1)] = Field(
        default=256, description="Live streams, one for each open page; more get 503."
    )
    watches: Annotated[int, Field(ge=1)] = Field(
        default=200,
        description="Open watches, one for each client that waits for tasks; more get 503.",
    )
    watched_tasks: Annotated[int, Field(ge=1), unit("tasks")] = Field(
        default=1_000_000,
        description="Tasks that all watches together may be for, some 150 bytes each; one may be "
        "for 100,000.",
    )
    pending_writes: Annotated[int, Field(ge=100), unit("tasks")] = Field(
        default=50_000, description="Submissions that may wait for a commit; more get 503."
    )

    @property
    def log_bounds(self) -> LogBounds:
        """What is kept of the log of an attempt, and of a worker."""
        return LogBounds(self.log_lines, self.log_bytes, self.log_errors)


class SharedSettings(BaseModel, extra="forbid", frozen=True):
    """Bounds of `pooldeck.shared`, as `[shared]` sets them."""

    names: Annotated[int, Field(ge=1)] = Field(default=10_000, description="How many there may be.")
    value_bytes: Annotated[int, Field(ge=16)] = Field(
        default=1024 * 1024, description="The largest single value, as JSON."
    )
    total_bytes: Annotated[int, Field(ge=1024)] = Field(
        default=64 * 1024 * 1024,
        description="What all values may take, with their keys and 64 for each entry.",
    )
