"""What `[commands.NAME]` sets: a function that is a program with arguments."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal, Self

from msgspec import NODEFAULT, Struct
from msgspec.structs import FieldInfo, fields
from pydantic import AfterValidator, Field, create_model, model_validator

from pooldeck.command_parameters import CommandParameter
from pooldeck.commands import Command
from pooldeck.functions import RULES, Options, Rule
from pooldeck_server.settings.units import unit

_PREFIX = "commands."
_RESERVED = "POOLDECK_"


def _settings(struct: type[Struct], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Return the fields of a struct as a model of settings takes them, bound by the same rules."""
    return {
        each.name: (_bound(each.type, rules.get(each.name)), _default(each))
        for each in fields(struct)
    }


def _default(each: FieldInfo) -> Any:
    return each.default if each.default_factory is NODEFAULT else each.default_factory()


def _bound(type_: Any, rule: Rule | None) -> Any:
    return Annotated[
        type_, AfterValidator(partial(_kept, rule)), unit("" if rule is None else rule.unit)
    ]


def _kept(rule: Rule | None, value: Any) -> Any:
    if rule is not None and not rule.holds(value):
        raise ValueError(f"must be {rule.wanted}")
    return value


_OPTIONS = _settings(Options, RULES)
del _OPTIONS["name"], _OPTIONS["pool"]  # which a command says in its own way
del _OPTIONS["safe_in"]  # a command has a process of its own in any pool
_TaskOptions = create_model("_TaskOptions", **_OPTIONS)
_Parameter = create_model("_Parameter", **_settings(CommandParameter, {}))


class ParameterSettings(_Parameter, extra="forbid", frozen=True):
    """One placeholder, as `[commands.NAME.parameters]` sets it."""

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        self.declared()
        return self

    def declared(self) -> CommandParameter:
        """Return it as workers get it.

        Raises:
            ValueError: If its parts do not go together.
        """
        return CommandParameter(**self.model_dump())


class CommandSettings(_TaskOptions, extra="forbid", frozen=True):
    """One command, as `[commands.NAME]` sets it."""

    run: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        description="The program and its arguments, with placeholders."
    )
    parameters: dict[str, ParameterSettings] = Field(
        default_factory=dict, description="For those that take more than a text."
    )
    description: str = Field(default="", description="For people, on the function's page.")
    pool: str | None = Field(
        default=None,
        description="Where a slot waits for it; measurements never move it. "
        "Default: the first thread pool, or else the first pool.",
    )
    directory: str | None = Field(
        default=None, description="Where it works. Default: where the server was started."
    )
    environment: dict[str, str] = Field(
        default_factory=dict, description="Added to that of its worker."
    )
    input: str = Field(
        default="", description="Text with placeholders for standard input, else that is empty."
    )
    success: Annotated[tuple[int, ...], Field(min_length=1)] = Field(
        default=(0,), description="Exit codes that are no failure."
    )
    result: Literal["stdout", "json", "none"] = Field(
        default="stdout",
        description="stdout: exit code and output; json: its output, read as JSON; none: the code.",
    )
    grace_seconds: Annotated[float, Field(ge=0, le=60)] = Field(
        default=1.0, description="Between SIGTERM and SIGKILL, when it is cancelled or overdue."
    )

    @model_validator(mode="after")
    def _can_work(self) -> Self:
        self.declared("", self.pool or "")
        for name in self.environment:
            if name.startswith(_RESERVED):
                raise ValueError(f"environment: names with {_RESERVED} are the server's own")
        return self

    def declared(self, name: str, pool: str) -> Command:
        """Return it as workers get it, in that pool where it names none.

        Raises:
            ValueError: If it cannot work.
        """
        given = dict(self)
        options = {option: given.pop(option) for option in _OPTIONS}
        given["options"] = Options(name=_PREFIX + name, pool=given.pop("pool") or pool, **options)
        given["parameters"] = {key: each.declared() for key, each in self.parameters.items()}
        return Command(**given)
