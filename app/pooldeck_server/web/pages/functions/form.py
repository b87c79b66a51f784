"""The form that submits a function: its fields, the options of a submission, and what is wrong.

`pooldeck_server.web.pages.functions.form_values` turns what was typed into a submission.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from pooldeck.functions import FunctionSpec
from pooldeck_server.web.pages.functions.fields import ARGUMENT, EMPTY_TEXT, ZONE, Field, fields
from pooldeck_server.web.text.i18n import _, later

_OPTION_WORDS: Final = {
    "pool": later("Pool"),
    "priority": later("Priority"),
    "delay": later("Delay"),
    "run_at": later("or run at"),
    "timeout": later("Timeout"),
    "retries": later("Retries"),
    "needs": later("Needs"),
    "tags": later("Tags"),
}
OPTIONS: Final = tuple(_OPTION_WORDS)


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a field: the id of its control on the page, and what it is called."""

    id: str
    label: str
    words: str


@dataclass(frozen=True)
class FunctionForm:
    """A function's form: a field per parameter, options of the submission, and what is wrong."""

    fields: tuple[Field, ...]
    options: Mapping[str, str]
    option_errors: Mapping[str, str]
    error: str | None

    @property
    def uses_options(self) -> bool:
        return any(self.options.values()) or bool(self.option_errors)

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """What is wrong, field by field, in the order of the page."""
        return (*self._wrong_arguments(), *self._wrong_options())

    @property
    def is_refused(self) -> bool:
        return self.error is not None or bool(self.mistakes)

    def _wrong_arguments(self) -> Iterator[Mistake]:
        for field in self.fields:
            for each in field.all():
                if each.error is not None:
                    yield Mistake(f"arg-{each.name}", each.name, each.error)

    def _wrong_options(self) -> Iterator[Mistake]:
        for name, words in _OPTION_WORDS.items():
            if name in self.option_errors:
                yield Mistake(name, _(words), self.option_errors[name])


def form(
    spec: FunctionSpec,
    values: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    error: str | None = None,
) -> FunctionForm:
    """Return the form of a function; `values` and `errors` are by the names of fields."""
    values, errors = values or {}, errors or {}
    return FunctionForm(
        fields=tuple(_filled(field, values, errors) for field in fields(spec)),
        options={name: values.get(name, "") for name in OPTIONS},
        option_errors={name: errors[name] for name in OPTIONS if name in errors},
        error=error,
    )


def _filled(field: Field, values: Mapping[str, str], errors: Mapping[str, str]) -> Field:
    value = values.get(ARGUMENT + field.name, "")
    return replace(
        field,
        value="" if field.is_sensitive else value,
        parts=tuple(_filled(part, values, errors) for part in field.parts),
        is_in_utc=values.get(ZONE + field.name, "Z") == "Z",
        is_to_retype=field.is_sensitive and bool(value),
        means_empty_text=EMPTY_TEXT + field.name in values,
        error=errors.get(ARGUMENT + field.name),
    )
