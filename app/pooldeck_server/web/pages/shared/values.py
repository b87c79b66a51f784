"""Arguments and results of tasks, as pages show them."""

from dataclasses import dataclass

from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.shared.json_text import JsonText, json_text
from pooldeck_server.web.text.i18n import _


@dataclass(frozen=True)
class Value:
    """An argument list or the result: `name` is the field that a program would ask for."""

    name: str
    label: str
    text: JsonText


def arguments_of(task: StoredTask) -> tuple[Value, ...]:
    both = (
        value_of("args", _("in order"), None if task.args == "[]" else task.args),
        value_of("kwargs", _("by name"), None if task.kwargs == "{}" else task.kwargs),
    )
    return tuple(value for value in both if value is not None)


def value_of(name: str, label: str, text: str | None) -> Value | None:
    return None if text is None else Value(name, label, json_text(text))
