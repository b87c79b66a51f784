"""What `[commands.NAME]` sets: a function that is a program with arguments."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from pooldeck.command_parameters import CommandParameter, Scalar
from pooldeck.commands import Command
from pooldeck.functions import Options

_PREFIX = "commands."
_OPTIONS = ("timeout", "retries", "backoff", "idempotent", "priority", "sensitive")
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


class CommandSettings(BaseModel):
    """One command, as `[commands.NAME]` sets it; times in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: Annotated[tuple[str, ...], Field(min_length=1)]
    parameters: dict[str, ParameterSettings] = {}
    description: str = ""
    pool: str | None = Field(default=None, description="Default: the first thread pool.")
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    retries: Annotated[int, Field(ge=0)] = 0
    backoff: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    idempotent: bool = False
    priority: Annotated[int, Field(ge=-100, le=100)] = 0
    sensitive: tuple[str, ...] = ()
    directory: str | None = Field(
        default=None, description="Where it works. Default: where the server was started."
    )
    environment: dict[str, str] = {}
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
        options = {option: getattr(self, option) for option in _OPTIONS}
        return Command(
            run=self.run,
            options=Options(name=_PREFIX + name, pool=self.pool or pool, **options),
            parameters={name: given.declared() for name, given in self.parameters.items()},
            description=self.description,
            directory=self.directory,
            environment=self.environment,
            input=self.input,
            success=self.success,
            result=self.result,
            grace_seconds=self.grace_seconds,
        )
