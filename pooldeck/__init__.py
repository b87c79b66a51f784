"""Functions, workers and pools: what user code and worker processes import."""

from pooldeck.context import CurrentTask, current_task
from pooldeck.functions import task

__all__ = ["CurrentTask", "current_task", "task"]
