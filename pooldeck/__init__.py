"""Functions, workers and pools: what user code and worker processes import."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pooldeck.context import CurrentTask, current_task
from pooldeck.functions import task
from pooldeck.resources import resource

if TYPE_CHECKING:
    from pooldeck import shared
    from pooldeck.executor import ProcessPool

__all__ = ["CurrentTask", "ProcessPool", "current_task", "resource", "shared", "task"]


def __getattr__(name: str) -> Any:
    """Load the executor and shared state only where they are used: most workers need neither."""
    if name == "ProcessPool":
        from pooldeck.executor import ProcessPool  # noqa: PLC0415 - that is the point

        return ProcessPool
    if name == "shared":
        return import_module("pooldeck.shared")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
