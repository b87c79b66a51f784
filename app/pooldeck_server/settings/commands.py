"""What `[commands.NAME]` sets: a function that is a program with arguments."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal, Self

from msgspec import Struct
from msgspec.structs import fields
from pydantic import AfterValidator, Field, create_model, model_validator

from pooldeck.command_parameters import CommandParameter
from pooldeck.commands import Command
from pooldeck.functions import RULES, Options, Rule

_PREFIX = "commands."
_RESERVED = "POOLDECK_"


def _settings(struct: type[Struct], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Return the fields of a struct as a model of settings takes them, bound by the same rules."""
    return {
        each.name: (
            Annotated[each.type, AfterValidator(partial(_kept, rules.get(each.name)))],
            each.default,
        )
        for each in fields(struct)
    }


def _kept(rule: Rule | None, value: Any) -> Any:
    if rule is not None and not rule.holds(value):
        raise ValueError(f"must be {rule.wanted}")
    return value


_OPTIONS = _settings(Options, RULES)
del _OPTIONS["name"], _OPTIONS["pool"]  # which a command says in its own way
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
    """One command, as `[commands.NAME]` sets it; times in seconds."""

    run: Annotated[tuple[str, ...], Field(min_length=1)]
    parameters: dict[str, ParameterSettings] = Field(default_factory=dict)
    description: str = ""
    pool: str | None = Field(default=None, description="Default: the first thread pool.")
    directory: str | None = Field(
        default=None, description="Where it works. Default: where the server was started."
    )
    environment: dict[str, str] = Field(default_factory=dict)
    input: str = Field(default="", description="Text for standard input, with placeholders.")
    success: Annotated[tuple[int, ...], Field(min_length=1)] = (0,)
    result: Literal["stdout", "json", "none"] = "stdout"
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
