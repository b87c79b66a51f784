"""What `[limits]` and `[shared]` set: bounds on what requests, tasks and shared state may take."""

from typing import Annotated

from pydantic import BaseModel, Field


class LimitSettings(BaseModel, extra="forbid", frozen=True):
    """Bounds on what one request, task or client may take (bytes and seconds)."""

    body_bytes: Annotated[int, Field(ge=1024)] = 16 * 1024 * 1024
    arguments_bytes: Annotated[int, Field(ge=16)] = 1024 * 1024
    result_bytes: Annotated[int, Field(ge=16, le=48 * 1024 * 1024)] = 10 * 1024 * 1024
    depth: Annotated[int, Field(ge=1, le=200)] = 64
    error_message_bytes: Annotated[int, Field(ge=256)] = 64 * 1024
    traceback_bytes: Annotated[int, Field(ge=256)] = 256 * 1024
    log_lines: Annotated[int, Field(ge=1)] = 10_000
    log_bytes: Annotated[int, Field(ge=1024)] = 1024 * 1024
    batch_tasks: Annotated[int, Field(ge=1)] = 10_000
    header_seconds: Annotated[float, Field(gt=0)] = 10.0
    body_seconds: Annotated[float, Field(gt=0)] = 30.0
    streams: Annotated[int, Field(ge=1)] = 256
    pending_writes: Annotated[int, Field(ge=100)] = 50_000


class SharedSettings(BaseModel, extra="forbid", frozen=True):
    """Bounds of `pooldeck.shared`, as `[shared]` sets them."""

    names: Annotated[int, Field(ge=1)] = 10_000
    value_bytes: Annotated[int, Field(ge=16)] = 1024 * 1024
    total_bytes: Annotated[int, Field(ge=1024)] = 64 * 1024 * 1024
