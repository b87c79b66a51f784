"""Settings, in rising order: defaults, pooldeck.toml, POOLDECK_* variables, the command line."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from pooldeck.commands import Command
from pooldeck.cpus import usable_cpus
from pooldeck.kinds import PoolKind
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.settings.commands import CommandSettings
from pooldeck_server.settings.log import LogSettings

DEFAULT_CONFIG = Path("pooldeck.toml")
_DEFAULT_POOLS = {"io": {"kind": "thread"}, "cpu": {"kind": "process"}}
_SHORTEST_TOKEN = 16
_MEBIBYTE = 1024 * 1024
_COMMAND_NAME = r"^[A-Za-z_][A-Za-z0-9_-]{0,99}$"
_POOL_NAME = r"^[a-z][a-z0-9_-]{0,31}$"


class PoolSettings(BaseModel):
    """One pool, as `[pools.NAME]` sets it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: PoolKind
    size: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        default=None,
        description="Slots. Default: min(32, cpus + 4) threads, or as many processes as CPUs.",
    )
    initializer: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$",
        description="`module.function`, run once in every worker before it is ready.",
    )
    queue_limit: Annotated[int, Field(ge=1)] = 100_000
    spare: Annotated[int, Field(ge=0, le=100)] | None = Field(
        default=None,
        description="Ready workers beside `size`. Default: 1 for processes; threads have none.",
    )
    max_tasks_per_worker: Annotated[int, Field(ge=0)] = Field(
        default=0, description="A worker is replaced after so many tasks; 0: never."
    )
    max_memory_mb: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="A worker over it is replaced, one over 1.5 times it is killed; 0: never.",
    )

    @property
    def slots(self) -> int:
        """Return the pool's size: the one that was set, or the stdlib's default for its kind."""
        if self.size is not None:
            return self.size
        return min(32, usable_cpus() + 4) if self.kind == "thread" else usable_cpus()

    @property
    def spares(self) -> int:
        """Return how many ready workers there are beside those of the size."""
        if self.spare is not None:
            return self.spare
        return 0 if self.kind == "thread" else 1

    @property
    def max_memory_bytes(self) -> int:
        """Return the memory above which a worker is replaced, 0 for no limit."""
        return self.max_memory_mb * _MEBIBYTE

    @model_validator(mode="after")
    def _threads_have_no_spare(self) -> Self:
        if self.kind == "thread" and self.spare:
            raise ValueError(
                "spare: a thread pool is one worker and keeps none in reserve; "
                "take spare out, or set it to 0"
            )
        return self


class LimitSettings(BaseModel):
    """Bounds on what one request, task or client may take (bytes and seconds)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    body_bytes: Annotated[int, Field(ge=1024)] = 16 * 1024 * 1024
    arguments_bytes: Annotated[int, Field(ge=16)] = 1024 * 1024
    result_bytes: Annotated[int, Field(ge=16, le=48 * 1024 * 1024)] = 10 * 1024 * 1024
    depth: Annotated[int, Field(ge=1, le=200)] = 64
    error_message_bytes: Annotated[int, Field(ge=256)] = 64 * 1024
    traceback_bytes: Annotated[int, Field(ge=256)] = 256 * 1024
    log_lines: Annotated[int, Field(ge=1)] = 10_000
    log_bytes: Annotated[int, Field(ge=1024)] = 1024 * 1024
    batch_tasks: Annotated[int, Field(ge=1)] = 10_000
    header_seconds: Annotated[float, Field(gt=0)] = 10.0
    body_seconds: Annotated[float, Field(gt=0)] = 30.0
    streams: Annotated[int, Field(ge=1)] = 256
    pending_writes: Annotated[int, Field(ge=100)] = 50_000


class SharedSettings(BaseModel):
    """Bounds of `pooldeck.shared`, as `[shared]` sets them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    names: Annotated[int, Field(ge=1)] = 10_000
    value_bytes: Annotated[int, Field(ge=16)] = 1024 * 1024
    total_bytes: Annotated[int, Field(ge=1024)] = 64 * 1024 * 1024


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
    pools: dict[Annotated[str, Field(pattern=_POOL_NAME)], PoolSettings] = Field(min_length=1)
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
    def pool_kinds(self) -> dict[str, str]:
        """Return the kind of each pool, in their order."""
        return {name: pool.kind for name, pool in self.pools.items()}

    @property
    def declared_commands(self) -> tuple[Command, ...]:
        """Return the commands as workers get them; where none is named, a thread pool runs them."""
        kinds = self.pool_kinds
        pool = next((name for name, kind in kinds.items() if kind == "thread"), next(iter(kinds)))
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
        toml = TomlConfigSettingsSource(settings_cls, _config_path(init_settings, env_settings))
        return (init_settings, env_settings, toml, _DefaultPools(settings_cls, toml))


class _DefaultPools(PydanticBaseSettingsSource):
    """The two pools that exist unless a file names its own."""

    def __init__(self, settings_cls: type[BaseSettings], toml: TomlConfigSettingsSource) -> None:
        super().__init__(settings_cls)
        self._pools = {} if "pools" in toml() else _DEFAULT_POOLS

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Required by the base class; this source answers as a whole."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        return {"pools": self._pools} if self._pools else {}


def _config_path(*sources: PydanticBaseSettingsSource) -> Path:
    for source in sources:
        if config := source().get("config"):
            path = Path(config)
            if not path.is_file():
                raise StartupError(f"the configuration file {path} does not exist")
            return path
    return DEFAULT_CONFIG
