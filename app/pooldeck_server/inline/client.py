"""The client of the double: `pooldeck.Client`, but for who answers."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import msgspec

from pooldeck.client.asking import Question
from pooldeck.client.client import Client
from pooldeck.client.errors import Refused
from pooldeck.client.future import RemoteFuture
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.inline.engine import InlineEngine, refused
from pooldeck_server.inline.task import InlineTask

_NOT_HERE: Final = 501
_FILTERS: Final = {"state": "state", "function": "function", "pool": "pool"}


class InlineClient(Client):
    """A client whose tasks run in this process, in the thread that submits them."""

    def __init__(self, engine: InlineEngine) -> None:
        super().__init__("inline://")
        self._inline = engine

    @property
    def engine(self) -> Any:
        """Return what submissions go to."""
        if self.is_closed:
            raise RuntimeError("the client is closed: make another one")
        return self._inline

    def future(self, task_id: str) -> RemoteFuture[Any]:
        """Return a future that waits for a task that exists."""
        future: RemoteFuture[Any] = RemoteFuture(self, "", b"")
        future.send()
        future.has_id(task_id)
        self._inline.attach(self._get(task_id), future)
        return future

    def drop(self, futures: list[RemoteFuture[Any]]) -> None:
        """Cancel what has not run of some futures."""
        for future in futures:
            if future.task_id is not None and not future.take_back():
                self._inline.cancel(future.task_id)

    def check_may_wait(self) -> None:
        """Raise an error: what has not ended waits for `drain()`, and would be waited for ever."""
        raise RuntimeError(
            "the task waits for a time, or for tasks that do: call drain() before its result"
        )

    def call_back(self, call: Callable[[], None]) -> None:
        """Call what waits for an end, here and now."""
        call()

    def close(self, timeout: float | None = None) -> None:  # noqa: ARG002 - as the client has it
        """Take nothing any more."""
        self.is_closed = True

    def forked(self) -> None:
        """Go on as before: there is no thread that a fork would lack."""

    def ask(self, question: Question) -> Any:
        """Answer as the server does, as far as the double has it.

        Raises:
            Refused: What the server would answer; 501 where the double has no answer.
        """
        try:
            return self._answer(question)
        except PooldeckError as error:
            raise refused(error) from None

    def _answer(self, question: Question) -> Any:
        path = urlsplit(question.path).path.strip("/").split("/")
        found = self._told(question, path) if question.method == "GET" else None
        found = found or (self._done(question, path) if question.method == "POST" else None)
        if found is None:
            words = f"deck_inline has no {question.method} {question.path}; deck_server has"
            raise Refused(_NOT_HERE, "not_available_yet", words)
        return found

    def _told(self, question: Question, path: list[str]) -> Any:
        match path:
            case ["tasks"]:
                given = [*(question.query or {}).items(), *parse_qsl(urlsplit(question.path).query)]
                return {"items": self._found(given), "next_cursor": None}
            case ["tasks", task_id]:
                return self._inline.get(task_id).record()
            case ["tasks", task_id, "logs"]:
                return {"items": self._inline.get(task_id).lines, "next_after": None}
        return None

    def _done(self, question: Question, path: list[str]) -> Any:
        match path:
            case ["tasks", "batch"]:
                return {"ids": self._inline.submit_all(msgspec.json.encode(question.body))}
            case ["tasks", task_id, "cancel"]:
                return self._inline.cancel(task_id)
            case ["tasks", task_id, "retry"]:
                return self._inline.retry(task_id).record()
        return None

    def _found(self, filters: list[tuple[str, Any]]) -> list[dict[str, Any]]:
        """Return the records that filters fit, newest first."""
        records = [task.record() for task in reversed(self._inline.tasks.values())]
        for name, value in filters:
            if name not in {*_FILTERS, "tag", "limit", "cursor"}:
                words = f"deck_inline has no filter {name}; deck_server has"
                raise Refused(_NOT_HERE, "not_available_yet", words)
            wanted = [value] if isinstance(value, str) else value
            if name in _FILTERS:
                records = [each for each in records if each[name] in wanted]
            elif name == "tag":
                records = [each for each in records if set(wanted) & set(each["tags"])]
        return records

    def _get(self, task_id: str) -> InlineTask:
        try:
            return self._inline.get(task_id)
        except PooldeckError as error:
            raise refused(error) from None
