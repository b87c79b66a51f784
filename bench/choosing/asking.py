"""Talks to a Pooldeck as any program would: submits, waits for results, reads the advice."""

import http.client
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, Final, NamedTuple

import msgspec

from bench.choosing.cases import Case

_LONGEST: Final = 60  # seconds that one task may take
_SETTLING: Final = 10.0  # seconds within which the evidence of runs that have ended is in
_PAGE: Final = 500  # tasks
_PAUSE: Final = 1.0  # seconds between two looks at it: longer than probes keep what they have seen


class Call(NamedTuple):
    """A case to be run in a pool."""

    case: Case
    pool: str


class Caller:
    """A client of the server on `port`, over one connection that stays open."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection

    def run_alone(self, call: Call, times: int) -> None:
        """Run a call so often, one after the other."""
        for _ in range(times):
            _result(self._ask("POST", f"/api/v1/tasks?wait={_LONGEST}", _submission(call)))

    def run_all(self, calls: Sequence[Call]) -> list[Any]:
        """Run the calls as one batch, as many as fit on a page at most, and return every result.

        What has ended is read a page at a time, which costs the server less than to ask for each.
        """
        tag = secrets.token_hex(8)
        body = {"tasks": [_submission(call) | {"tags": [tag]} for call in calls]}
        ids = self._ask("POST", "/api/v1/tasks/batch", body)["ids"]
        running = ids
        while running:
            self._ask("GET", f"/api/v1/tasks/{running[-1]}?wait={_LONGEST}")
            page = self._ask("GET", f"/api/v1/tasks?tag={tag}&limit={_PAGE}")["items"]
            tasks = {task["id"]: task for task in page}
            running = [id_ for id_ in ids if tasks[id_]["finished_at"] is None]
        return [_result(tasks[id_]) for id_ in ids]

    def submit(self, tasks: Sequence[tuple[str, str, float]]) -> None:
        """Submit tasks that nobody waits for: the function, the pool and the argument of each."""
        body = {"tasks": [{"function": name, "pool": pool, "args": [x]} for name, pool, x in tasks]}
        self._ask("POST", "/api/v1/tasks/batch", body)

    def advice(self, case: Case, runs: int = 0) -> dict[str, Any]:
        """Return the advice on a function when it rests on `runs` and changes no more."""
        until = time.monotonic() + _SETTLING
        before, found = None, self._advice(case)
        while found["evidence"]["runs_ever"] < runs or found != before:
            if time.monotonic() > until:
                raise TimeoutError(f"the evidence on {case.function} does not settle: {found}")
            time.sleep(_PAUSE)
            before, found = found, self._advice(case)
        return found

    def _advice(self, case: Case) -> dict[str, Any]:
        found: dict[str, Any] = self._ask("GET", f"/api/v1/functions/{case.name}/advice")
        return found

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else msgspec.json.encode(body)
        headers = {"Content-Type": "application/json"}
        self._connection.request(method, path, body=content, headers=headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= http.client.BAD_REQUEST:
            raise RuntimeError(f"{path} answered {answer.status}: {text[:500]!r}")
        return msgspec.json.decode(text)


@contextmanager
def calling(port: int) -> Iterator[Caller]:
    """Connect to the server on `port` of this machine."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2 * _LONGEST)) as connection:
        yield Caller(connection)


def _submission(call: Call) -> dict[str, Any]:
    return {"function": call.case.name, "args": call.case.arguments, "pool": call.pool}


def _result(task: dict[str, Any]) -> Any:
    if task["state"] != "succeeded":
        raise RuntimeError(f"{task['function']} is {task['state']}: {task['error']}")
    return task["result"]
