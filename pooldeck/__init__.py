"""Functions, workers and pools: what user code and worker processes import."""

from typing import TYPE_CHECKING, Any

from pooldeck.context import CurrentTask, current_task
from pooldeck.functions import task

if TYPE_CHECKING:
    from pooldeck.executor import ProcessPool

__all__ = ["CurrentTask", "ProcessPool", "current_task", "task"]


def __getattr__(name: str) -> Any:
    """Load the executor only where it is used: a worker of the server starts without it."""
    if name == "ProcessPool":
        from pooldeck.executor import ProcessPool  # noqa: PLC0415 - that is the point

        return ProcessPool
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
