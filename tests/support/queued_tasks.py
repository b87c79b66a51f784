"""Tasks as a queue in memory has them."""

from pooldeck_server.domain.tasks.task import QueuedTask


def queued(seq: int, priority: int = 0, args: str = "[]") -> QueuedTask:
    """Return a queued task of the pool `cpu`."""
    return QueuedTask(
        seq=seq,
        id=f"task-{seq}",
        function="f",
        pool="cpu",
        attempt=0,
        priority=priority,
        created_at=seq,
        args=args,
        kwargs="{}",
    )
