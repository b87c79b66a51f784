"""A task of the double, and its record as the API has it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from pooldeck.client.exceptions import TaskFailure, exception_of
from pooldeck.client.future import RemoteFuture
from pooldeck.functions import RunOptions
from pooldeck.outcome import Error
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.tasks.dependencies import Rule
from pooldeck_server.domain.tasks.states import FINAL, State
from pooldeck_server.domain.tasks.submission import Submission

_FUTURE_STATES = {State.RUNNING: "RUNNING", State.CANCELLED: "CANCELLED"}
_decode = msgspec.json.Decoder().decode


@dataclass(eq=False)
class InlineTask:
    """One submission, and what became of it."""

    id: str
    submission: Submission
    function: RegisteredFunction
    options: RunOptions
    created_at: datetime
    needs: dict[str, Rule]  # the ids of tasks that it comes after
    state: State = State.SCHEDULED
    attempt: int = 0
    result: bytes | None = None
    error: Error | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    lines: list[dict[str, Any]] = field(default_factory=list)
    progress: dict[str, Any] | None = None
    futures: list[RemoteFuture[Any]] = field(default_factory=list)

    @property
    def has_ended(self) -> bool:
        return self.state in FINAL

    @property
    def due(self) -> datetime | None:
        """Return when it may run, None for at once."""
        submission = self.submission
        if submission.delay:
            return self.created_at + timedelta(seconds=submission.delay)
        return submission.run_at

    @property
    def pool(self) -> str:
        return self.submission.pool or self.function.pool

    def tell(self) -> None:
        """Let those know who wait for its end."""
        futures, self.futures = self.futures, []
        for future in futures:
            self._tell(future)

    def _tell(self, future: RemoteFuture[Any]) -> None:
        if self.state is State.SUCCEEDED and self.result is not None:
            future.end_with(_decode(self.result))
        elif self.state is State.CANCELLED:
            future.end_cancelled()
        else:
            failure = None if self.error is None else _failure(self.error)
            future.end_failed(exception_of(failure, is_lost=False))

    def record(self) -> dict[str, Any]:
        """Return it as the API has it; times that tell nothing here are left out."""
        args, kwargs = _decode(self.submission.args), _decode(self.submission.kwargs)
        redacted = self.function.redact(args, kwargs)
        shown = (args, kwargs) if redacted is None else map(_decode, redacted)
        args, kwargs = shown
        return {
            "id": self.id,
            "function": self.submission.function,
            "pool": self.pool,
            "state": str(self.state),
            "future": "PENDING" if not self.has_ended else "FINISHED",
            "args": args,
            "kwargs": kwargs,
            "result": None if self.result is None else _decode(self.result),
            "error": None if self.error is None else msgspec.to_builtins(_failure(self.error)),
            "attempt": self.attempt,
            "priority": self._priority,
            "tags": list(self.submission.tags),
            "progress": self.progress,
            "after": list(self.needs),
            "created_at": _text(self.created_at),
            "run_at": _text(self.due),
            "started_at": _text(self.started_at),
            "finished_at": _text(self.finished_at),
        } | self._future_state

    @property
    def _future_state(self) -> dict[str, str]:
        named = _FUTURE_STATES.get(self.state)
        return {} if named is None else {"future": named}

    @property
    def _priority(self) -> int:
        given = self.submission.priority
        return self.function.spec.options.priority if given is None else given


def _failure(error: Error) -> TaskFailure:
    return TaskFailure(str(error.kind), error.type, error.message, error.traceback)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
