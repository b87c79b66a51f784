"""What `[commands.NAME]` sets: a function that is a program with arguments."""

from functools import partial
from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model, model_validator

from pooldeck.command_parameters import CommandParameter, Scalar
from pooldeck.commands import Command
from pooldeck.functions import RULES, Options

_PREFIX = "commands."
_OWN = {"name", "pool"}  # what a command says in its own way
_RESERVED = "POOLDECK_"


class ParameterSettings(BaseModel):
    """One placeholder, as `[commands.NAME.parameters]` sets it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["string", "integer", "number", "boolean", "array"] = "string"
    items: Scalar = Field(default="string", description="Of an array: the type of its items.")
    default: Any = Field(default=None, description="Without one, it has to be given.")
    minimum: int | float | None = None
    maximum: int | float | None = None
    choices: tuple[int | str, ...] = ()
    description: str = ""
    leading_dash: bool = Field(
        default=False,
        description="Whether its text may begin with a dash where it could be an option.",
    )

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


def _kept(name: str, value: Any) -> Any:
    """Return the value of an option of `@task`, which has the same bounds here as there."""
    rule = RULES[name]
    if not rule.holds(value):
        raise ValueError(f"must be {rule.wanted}")
    return value


_OPTIONS: dict[str, Any] = {
    option.name: (
        Annotated[option.type, AfterValidator(partial(_kept, option.name))],
        option.default,
    )
    for option in msgspec.structs.fields(Options)
    if option.name not in _OWN
}
_TaskOptions = create_model("_TaskOptions", **_OPTIONS)


class CommandSettings(_TaskOptions):
    """One command, as `[commands.NAME]` sets it; times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

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
        """Return it as workers get it.

        Args:
            name: Its name in the settings.
            pool: The pool that it runs in where it names none.

        Raises:
            ValueError: If it cannot work.
        """
        given = dict(self)
        options = {option: given.pop(option) for option in _OPTIONS}
        given["options"] = Options(name=_PREFIX + name, pool=given.pop("pool") or pool, **options)
        given["parameters"] = {key: each.declared() for key, each in self.parameters.items()}
        return Command(**given)
