"""Submitting tasks: the hot path, so the body is read without FastAPI's handling of parameters.

`submit_routes` describes both calls; nothing here loads FastAPI.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from pooldeck_server import failpoints
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.states import FINAL
from pooldeck_server.domain.tasks.submission import MAX_KEY_LENGTH, MAX_WAIT
from pooldeck_server.runtime.recording.spans import follow
from pooldeck_server.runtime.recording.watch import Watch
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.api.bodies import read_batch, read_submission
from pooldeck_server.web.api.reading import body_of, bytes_of_many, bytes_of_task
from pooldeck_server.web.api.schemas.tasks import Ids
from pooldeck_server.web.api.shown import shown_task
from pooldeck_server.web.http.application import server_of
from pooldeck_server.web.http.headers import kept_headers
from pooldeck_server.web.http.responses import answer
from pooldeck_server.web.http.sight import Sight, sight_of

KEY: Final = "Idempotency-Key"
WATCH: Final = "Pooldeck-Watch"
_RAW_KEY: Final = KEY.lower().encode()
_RAW_WATCH: Final = WATCH.lower().encode()


async def submit(request: Request) -> Response:
    """Submit one task.

    The answer comes when the task is stored, so that it survives a crash of the server; with
    `wait`, when it has ended or the time is over.
    """
    server = server_of(request)
    seconds = _seconds(request)
    key = idempotency_key(request)
    follow_trace(request, server)
    submission = await body_of(request, read_submission, server.settings.limits, bytes_of_task)
    sight = sight_of(request)
    await sight.check_submissions([submission], server)
    watch = watch_of(request, sight, 1)
    if seconds:
        task = await server.submit_and_wait(submission, key, seconds, watch)
    else:
        task = (await server.intake.submit(submission, key, watch)).task
    status = 200 if task.state in FINAL else 202
    failpoints.reach("before_answer")
    return answer(
        shown_task(server, sight.echo(task)),
        status,
        (b"location", f"/api/v1/tasks/{task.id}".encode()),
        *watched_by(watch),
    )


async def submit_batch(request: Request) -> Response:
    """Submit many tasks in one commit: all of them are stored, or none.

    The header `Idempotency-Key` is for the whole: the same key gives the same ids. The items may
    have keys of their own, as `idempotency_key`.
    """
    server = server_of(request)
    key = idempotency_key(request)
    follow_trace(request, server)
    submissions = await body_of(request, read_batch, server.settings.limits, bytes_of_many)
    sight = sight_of(request)
    await sight.check_submissions(submissions, server)
    watch = watch_of(request, sight, len(submissions))
    ids = await server.intake.submit_batch(submissions, key, watch)
    return answer(Ids(ids), 202, *watched_by(watch))


def follow_trace(request: Request, server: Server) -> None:
    """Let what a request submits belong to the trace that its headers name, if there are traces."""
    if server.spans is not None:
        follow(request.headers)


def watch_of(request: Request, sight: Sight, number: int) -> Watch | None:
    """Return the watch that is to tell of so many new tasks; None for none, or if it cannot."""
    name = kept_headers(request.scope).get(_RAW_WATCH)
    if name is None:
        return None
    watches = server_of(request).watches
    return watches.of_submission(name.decode("latin-1"), sight.principal, number)


def watched_by(watch: Watch | None) -> tuple[tuple[bytes, bytes], ...]:
    """Return what the head of an answer says of the watch that has taken the tasks."""
    if watch is None or not watch.is_read:  # its reader has gone meanwhile
        return ()
    return ((_RAW_WATCH, watch.id.encode()),)


def idempotency_key(request: Request) -> str | None:
    """Return the key that a request was sent under, if it was.

    Raises:
        InvalidRequest: If it is none that could be kept.
    """
    value = kept_headers(request.scope).get(_RAW_KEY)
    if value is None:
        return None
    key = value.decode("latin-1")
    if not (0 < len(key) <= MAX_KEY_LENGTH and key.isprintable()):
        raise InvalidRequest(f"{KEY}: expected 1 to {MAX_KEY_LENGTH} printable characters")
    return key


def _seconds(request: Request) -> float:
    """Return the seconds to wait; FastAPI's own check is not on this path."""
    if not request.scope["query_string"]:
        return 0.0
    text = request.query_params.get("wait", "0")
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= MAX_WAIT:
        raise InvalidRequest(f"wait: expected 0 to {MAX_WAIT:g} seconds", parameter="wait")
    return seconds
