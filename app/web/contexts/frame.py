"""What stands around every page: the strip of numbers, and what needs attention."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from app.domain.controls import Hold
from app.domain.events import Frame
from app.domain.health import PoolHealth
from app.domain.states import State
from app.web import formats


@dataclass(frozen=True)
class Number:
    """A number of the strip; `field` names it for the browser, `href` lists what it counts."""

    field: str
    label: str
    value: str
    href: str
    state: State | None
    is_zero: bool


@dataclass(frozen=True)
class Notice:
    """Something that needs attention: `subject` is a pool, a function or the server."""

    kind: str
    subject: str
    text: str
    href: str


@dataclass(frozen=True)
class FrameContext:
    """The strip in its groups, and the notices; `at` is the moment they are true for."""

    present: tuple[Number, ...]
    ended: tuple[Number, ...]
    oldest_wait: str
    window_words: str
    notices: tuple[Notice, ...]


_PRESENT = (State.RUNNING, State.QUEUED, State.SCHEDULED)
_ENDED = ((State.SUCCEEDED, "ok"), (State.FAILED, "failed"), (State.LOST, "lost"))


def frame_context(frame: Frame, server_state: str, holds: Sequence[Hold]) -> FrameContext:
    """Return what stands around a page.

    Args:
        frame: The live picture.
        server_state: "starting", "ready" or "draining".
        holds: The functions on hold.
    """
    window = frame.window
    ended = {
        State.SUCCEEDED: window.succeeded,
        State.FAILED: window.failed,
        State.LOST: window.lost,
    }
    return FrameContext(
        present=tuple(
            _number("counts", state, state, frame.counts.get(state, 0)) for state in _PRESENT
        ),
        ended=tuple(_number("window", state, label, ended[state]) for state, label in _ENDED),
        oldest_wait=formats.duration(frame.oldest_wait),
        window_words=_window_words(window.seconds),
        notices=notices(frame, server_state, holds),
    )


def _number(group: str, state: State, label: str, value: int) -> Number:
    return Number(
        field=f"{group}.{state}",
        label=label,
        value=formats.count(value),
        href=f"/tasks?state={state}",
        state=state,
        is_zero=value == 0,
    )


def _window_words(seconds: int) -> str:
    return "in the last hour" if seconds == 3600 else f"in {formats.duration(seconds)}"  # noqa: PLR2004 - an hour


def notices(frame: Frame, server_state: str, holds: Sequence[Hold]) -> tuple[Notice, ...]:
    """Return what needs attention; the arguments are those of `frame_context`."""
    held = {hold.function for hold in holds}
    return (
        *_server_notices(server_state),
        *(notice for pool in frame.pools for notice in _pool_notices(pool, held)),
        *(_hold_notice(hold) for hold in holds),
    )


def _server_notices(state: str) -> tuple[Notice, ...]:
    words = {
        "starting": "is starting: submissions are taken as soon as the first worker is ready.",
        "draining": "is shutting down: it takes no new tasks and finishes those that run.",
    }
    return (Notice(state, "The server", words[state], "/pools"),) if state in words else ()


_NOT_RUNNING = {
    "paused": "is paused: what is queued waits until somebody resumes it.",
    "draining": "is draining: it finishes what runs and hands nothing new out.",
    "stopped": "is stopped: what is queued waits until somebody resumes it.",
}


def _pool_notices(pool: PoolHealth, held: set[str]) -> Iterator[Notice]:
    href = f"/pools#{pool.name}"
    if pool.state == "broken":
        yield Notice("broken", pool.name, f"is broken: {first_line(pool.reason)}", href)
    elif pool.state in _NOT_RUNNING:
        yield Notice(pool.state, pool.name, _NOT_RUNNING[pool.state], href)
    for line in (pool.notice or "").splitlines():
        if not any(function in line for function in held):  # a hold has a notice of its own
            yield Notice("notice", pool.name, line, href)


def _hold_notice(hold: Hold) -> Notice:
    words = f"is on hold, its tasks wait: {hold.reason}"
    return Notice("hold", hold.function, words, f"/functions/{quote(hold.function)}")


def first_line(reason: str | None) -> str:
    """Return the first line of a reason that goes on with a traceback."""
    return (reason or "its workers do not start").strip().partition("\n")[0]
