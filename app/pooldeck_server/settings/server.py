"""Settings, in rising order: defaults, pooldeck.toml, POOLDECK_* variables, the command line."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from pooldeck.commands import Command
from pooldeck.functions import POOL_NAME
from pooldeck.kinds import KINDS, PoolKind
from pooldeck_server.settings.commands import CommandSettings
from pooldeck_server.settings.limits import LimitSettings, SharedSettings
from pooldeck_server.settings.log import LogSettings
from pooldeck_server.settings.pools import PoolSettings
from pooldeck_server.settings.sources import DefaultPools, config_path

_SHORTEST_TOKEN: Final = 16
_COMMAND_NAME: Final = r"^[A-Za-z_][A-Za-z0-9_-]{0,99}$"


class Settings(BaseSettings):
    """Everything that can be set. Values are fixed once the server runs."""

    model_config = SettingsConfigDict(
        env_prefix="POOLDECK_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    data: Path = Path("pooldeck-data")
    config: Path | None = None
    functions: Annotated[tuple[str, ...], NoDecode] = ()
    pools: dict[Annotated[str, Field(pattern=f"^{POOL_NAME}$")], PoolSettings] = Field(min_length=1)
    token: SecretStr | None = None
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    durability: Literal["full", "normal"] = "full"
    grace_seconds: Annotated[float, Field(ge=0)] = 10.0
    boot_seconds: Annotated[float, Field(gt=0)] = 60.0
    hold_after: Annotated[int, Field(ge=0)] = 5
    hold_seconds: Annotated[float, Field(gt=0)] = 600.0
    memory_queue: Annotated[int, Field(ge=100)] = 10_000
    limits: LimitSettings = LimitSettings()
    shared: SharedSettings = SharedSettings()
    commands: dict[Annotated[str, Field(pattern=_COMMAND_NAME)], CommandSettings] = {}
    log: LogSettings | None = None

    @field_validator("functions", "allowed_hosts", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("token")
    @classmethod
    def _token_is_no_blank(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().strip()) < _SHORTEST_TOKEN:
            raise ValueError(
                f"must be at least {_SHORTEST_TOKEN} characters; try `openssl rand -hex 24`"
            )
        return value

    @model_validator(mode="after")
    def _open_only_with_a_token(self) -> Self:
        if not self.is_loopback and self.token is None:
            raise ValueError(
                f"host {self.host} can be reached from other machines: set POOLDECK_TOKEN, "
                "or bind to 127.0.0.1"
            )
        return self

    @property
    def is_loopback(self) -> bool:
        """Tell whether the server binds to an address that only this machine reaches."""
        return self.host in {"localhost", "::1"} or self.host.startswith("127.")

    @property
    def pool_kinds(self) -> dict[str, PoolKind]:
        return {name: pool.kind for name, pool in self.pools.items()}

    @property
    def declared_commands(self) -> tuple[Command, ...]:
        """Return the commands as workers get them; by default where waiting costs little."""
        kinds = self.pool_kinds
        suited = (name for name, kind in kinds.items() if KINDS[kind].suits_waiting)
        pool = next(suited, next(iter(kinds)))
        return tuple(command.declared(name, pool) for name, command in self.commands.items())

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not a source of ours
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - nor is this
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Order the sources; the default pools count only where the file names none."""
        toml = TomlConfigSettingsSource(settings_cls, config_path(init_settings, env_settings))
        return (init_settings, env_settings, toml, DefaultPools(settings_cls, toml))
