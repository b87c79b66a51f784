"""The form that changes a task which has not started, and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Raw

from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.pools.annotations import MAX_REASON
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.text.formats import sentence
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.zones import UTC_NAME, UnclearTimeError, typed_moment, typing_of

_FIELDS: Final = ("priority", "pool", "run_at", "args", "kwargs")
_ARGUMENTS: Final = frozenset({"args", "kwargs"})


class UnreadableEditError(Exception):
    """Fields that cannot be read: what is wrong, by field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(f"{len(errors)} fields cannot be read")
        self.errors = errors


@dataclass(frozen=True)
class EditView(Page):
    """A task and what of it can be changed: `values` and `errors` are by the names of fields.

    `error` is about none of them. Of a task that comes after others no time can be set, and of one
    that stands for a list no arguments (`has_time`, `has_arguments`).
    """

    template = "task/edit.html"
    section = "tasks"

    task: StoredTask
    values: Mapping[str, str]
    errors: Mapping[str, str]
    error: str | None
    pools: Sequence[str]
    has_time: bool
    has_arguments: bool
    is_sensitive: bool
    longest_reason: int = MAX_REASON


def edit_view(
    task: StoredTask,
    pools: Sequence[str],
    *,
    is_sensitive: bool,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    error: str | None = None,
) -> EditView:
    """Return the form of a task, with what was `typed` and what is wrong with that.

    Sensitive arguments are not sent back.
    """
    values = present_values(task)
    kept = {*_FIELDS, "reason"} - (_ARGUMENTS if is_sensitive else frozenset())
    values |= {name: text for name, text in (typed or {}).items() if name in kept}
    is_awaiting = task.state is State.SCHEDULED and task.run_at is None
    return EditView(
        task=task,
        values={"reason": ""} | values,
        errors=errors or {},
        error=error,
        pools=list(dict.fromkeys([*pools, task.pool])),
        has_time=not is_awaiting,
        has_arguments=not (task.dependencies is not None and task.dependencies.is_fan),
        is_sensitive=is_sensitive,
    )


def present_values(task: StoredTask) -> dict[str, str]:
    """Return what one would type to have a task as it is."""
    is_put_off = task.state is State.SCHEDULED and task.run_at is not None
    return {
        "priority": str(task.priority),
        "pool": task.pool,
        "run_at": typing_of(task.run_at) if is_put_off and task.run_at else "",
        "args": task.args or "[]",
        "kwargs": task.kwargs or "{}",
    }


def edit_body(task: StoredTask, typed: Mapping[str, str]) -> bytes | None:
    """Return the JSON body of the change that a form says; None where it says none.

    What was left as it was shown is left out, so that nothing is changed that nobody touched.

    Raises:
        UnreadableEditError: If a field does not hold what it should.
    """
    shown = present_values(task)
    given = {name: _plain(typed[name]) for name in _FIELDS if name in typed}
    changed = {name: text for name, text in given.items() if text != _plain(shown[name])}
    body: dict[str, object] = {}
    errors: dict[str, str] = {}
    for name, text in changed.items():
        try:
            body[name] = _read(name, text, typed.get("zone") or UTC_NAME)
        except UnclearTimeError as unclear:
            errors[name] = sentence(str(unclear))
        except ValueError:
            errors[name] = _WRONG[name]()
    if errors:
        raise UnreadableEditError(errors)
    if not body:
        return None
    if reason := typed.get("reason", "").strip():
        body["reason"] = reason
    return msgspec.json.encode(body)


def about(error: PooldeckError, task: StoredTask) -> tuple[dict[str, str], str | None]:
    """Return what an error says of the fields, or else of none of them."""
    field = str(error.extra.get("field", "")).strip("/").split("/")[0]
    if not field and (argument := error.extra.get("argument")):
        named = msgspec.json.decode(task.kwargs or "{}")
        field = "kwargs" if argument in named or task.args in {None, "[]"} else "args"
    words = sentence(error.detail)
    return ({field: words}, None) if field in _FIELDS else ({}, words)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").strip()


def _read(name: str, text: str, zone: str) -> object:
    match name:
        case "priority":
            return int(text.replace("\u2212", "-"))
        case "run_at":
            return typed_moment(text, zone) if text else None
        case "args" | "kwargs":
            msgspec.json.decode(text)
            return Raw(text.encode())
    return text


_WRONG: Final = {
    "priority": lambda: _("Enter a whole number from -100 to 100."),
    "args": lambda: _("This is not JSON. Enter an array, such as [1, 2]."),
    "kwargs": lambda: _('This is not JSON. Enter an object, such as {"width": 64}.'),
}
