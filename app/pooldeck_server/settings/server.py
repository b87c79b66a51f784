"""Settings, in rising order: defaults, pooldeck.toml, POOLDECK_* variables, the command line."""

import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import (
    Field,
    IPvAnyNetwork,
    PrivateAttr,
    SecretStr,
    field_validator,
    model_validator,
)
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
from pooldeck_server.domain.addresses import is_loopback
from pooldeck_server.domain.errors import StartupError
from pooldeck_server.settings.actions import ActionSettings
from pooldeck_server.settings.alerts import AlertSettings
from pooldeck_server.settings.backup import BackupSettings
from pooldeck_server.settings.commands import CommandSettings
from pooldeck_server.settings.hosts import HostsSettings
from pooldeck_server.settings.limits import LimitSettings, SharedSettings
from pooldeck_server.settings.log import LogSettings
from pooldeck_server.settings.metrics import MetricsSettings
from pooldeck_server.settings.oidc import OidcSettings
from pooldeck_server.settings.pools import PoolSettings
from pooldeck_server.settings.retention import RetentionSettings
from pooldeck_server.settings.root_path import read_root_path
from pooldeck_server.settings.sources import (
    DEFAULT_CONFIG,
    DefaultPools,
    config_path,
    without_injected,
)
from pooldeck_server.settings.terminal import TerminalSettings
from pooldeck_server.settings.tracing import TracingSettings
from pooldeck_server.settings.units import unit

_DATABASE: Final = "pooldeck.sqlite3"
_SOCKET: Final = "pooldeck.sock"
_SHORTEST_TOKEN: Final = 16
_SOURCE: Final = ".py"
_VISIBLE: Final = re.compile("[!-~]*")
_COMMAND_NAME: Final = r"^[A-Za-z_][A-Za-z0-9_-]{0,99}$"


Access: TypeAlias = Literal["local", "open", "tokens"]
"""Who comes in: the server's own user, anybody, or who shows a token."""


class Settings(BaseSettings):
    """Everything that can be set.

    It is read at the start, `functions` and `[commands]` with each restart of a pool too.
    """

    model_config = SettingsConfigDict(
        env_prefix="POOLDECK_", env_nested_delimiter="__", extra="forbid", frozen=True
    )

    _given: dict[str, Any] = PrivateAttr(default_factory=dict)  # what beats all other sources
    _had_file: bool = PrivateAttr(default=False)

    host: str = Field(
        default="127.0.0.1",
        description="Where to listen; an address for others needs a `token` or `access = tokens`.",
    )
    port: Annotated[int, Field(ge=0, le=65535), unit("")] = Field(
        default=8000, description="0 takes a free one."
    )
    data: Path = Field(
        default=Path("pooldeck-data"),
        description="The folder of the database, its lock and the workers' files.",
    )
    config: Path | None = Field(
        default=None,
        description="The configuration file. "
        "Default: `pooldeck.toml` where the server is started, if it is there.",
    )
    functions: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Modules with `@task` functions, found where the server is started and on "
        "PYTHONPATH. By variable: with commas between them.",
    )
    pools: dict[Annotated[str, Field(pattern=f"^{POOL_NAME}$")], PoolSettings] = Field(
        min_length=1,
        description="Those of a file replace the default ones. "
        "Default: `io` with threads and `cpu` with processes.",
    )
    token: SecretStr | None = Field(
        default=None,
        description="What programs send and people log in with: at least 16 characters of ASCII, "
        "without spaces.",
    )
    access: Access = Field(
        default="local",
        description="local: where no `token` is set, only the user that the server runs as and "
        "root come in without one, from this machine; tokens: nobody does, and what counts is a "
        "token that `pooldeck token create` has made or `token`; open: where no `token` is set, "
        "whoever reaches the server may do everything.",
    )
    tasks_may_submit: bool = Field(
        default=True,
        description="Tasks find this server by POOLDECK_URL and a token of the role operator in "
        "POOLDECK_TOKEN, which is good until the server ends.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(),
        description="Further names that the server answers to, such as that of a proxy. "
        "By variable: with commas between them.",
    )
    root_path: str = Field(
        default="",
        description="The path below which a proxy shows the server, such as `/deck`.",
    )
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = Field(
        default=(),
        description="Addresses and networks of proxies: what they say by X-Forwarded-For, -Proto, "
        "-Host and -Prefix is believed. By variable: with commas between them.",
    )
    durability: Literal["full", "normal"] = Field(
        default="full",
        description="full: each commit is synced to the disk; normal: a power cut can lose the "
        "latest.",
    )
    grace_seconds: Annotated[float, Field(ge=0)] = Field(
        default=10.0, description="How long what runs may go on when the server is told to stop."
    )
    boot_seconds: Annotated[float, Field(gt=0)] = Field(
        default=60.0, description="How long a worker may take for its imports and its initializer."
    )
    hold_after: Annotated[int, Field(ge=0), unit("deaths of workers")] = Field(
        default=5,
        description="So many under one function, within `hold_seconds`, put it on hold; 0: never.",
    )
    hold_seconds: Annotated[float, Field(gt=0)] = Field(
        default=600.0, description="How long a death counts for that."
    )
    memory_queue: Annotated[int, Field(ge=100), unit("tasks")] = Field(
        default=10_000,
        description="How many of each pool's queue are held in memory; the store has all.",
    )
    limits: LimitSettings = LimitSettings()
    shared: SharedSettings = SharedSettings()
    commands: dict[Annotated[str, Field(pattern=_COMMAND_NAME)], CommandSettings] = Field(
        default={}, description="Functions that are programs."
    )
    hosts: HostsSettings | None = None
    log: LogSettings | None = None
    backup: BackupSettings | None = None
    actions: ActionSettings = ActionSettings()
    retention: RetentionSettings = RetentionSettings()
    alerts: AlertSettings = AlertSettings()
    oidc: OidcSettings | None = None
    terminal: TerminalSettings = TerminalSettings()
    metrics: MetricsSettings = MetricsSettings()
    tracing: TracingSettings | None = None

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self._given = given
        self._had_file = self.config is not None or DEFAULT_CONFIG.is_file()

    def read_anew(self) -> Self:
        """Return the settings as their sources have them now; raises as when they were made.

        Raises:
            StartupError: If the configuration file that there was is gone.
        """
        if self._had_file and self.config is None and not DEFAULT_CONFIG.is_file():
            raise StartupError(f"the configuration file {DEFAULT_CONFIG} is gone")
        return type(self)(**self._given)

    @field_validator("functions", "allowed_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split_commas(cls, value: Any) -> Any:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("functions")
    @classmethod
    def _functions_are_modules(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name.endswith(_SOURCE):
                module = name.removesuffix(_SOURCE).removeprefix("./").replace("/", ".")
                raise ValueError(f"{name} is a file, and modules are named: write {module}")
        return value

    @field_validator("root_path")
    @classmethod
    def _root_path_is_a_path(cls, value: str) -> str:
        return read_root_path(value)

    @field_validator("token")
    @classmethod
    def _token_fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        token = "" if value is None else value.get_secret_value()
        if value is not None and len(token.strip()) < _SHORTEST_TOKEN:
            raise ValueError(
                f"must be at least {_SHORTEST_TOKEN} characters; try `openssl rand -hex 24`"
            )
        if not _VISIBLE.fullmatch(token):
            raise ValueError(
                "has a space, a line break or another character that no header can carry; take "
                "letters, digits and signs of ASCII, such as from `openssl rand -hex 24`"
            )
        return value

    @model_validator(mode="after")
    def _open_only_with_a_token(self) -> Self:
        if not self.is_loopback and self.admission != "tokens":
            raise ValueError(
                f"host {self.host} can be reached from other machines: set POOLDECK_TOKEN, "
                "or POOLDECK_ACCESS=tokens, or bind to 127.0.0.1"
            )
        return self

    @model_validator(mode="after")
    def _hosts_can_dial_in(self) -> Self:
        hosted = ", ".join(name for name, pool in self.pools.items() if pool.hosts is not None)
        if hosted and self.hosts is None:
            raise ValueError(
                f"hosts is missing, and a pool is on hosts ({hosted}): add a table [hosts], with "
                "the address where they dial in"
            )
        return self

    @property
    def admission(self) -> Access:
        """What `access` comes to: who has set a token, or a provider, has chosen tokens."""
        has_chosen = self.token is not None or self.oidc is not None
        return "tokens" if has_chosen else self.access

    @property
    def is_loopback(self) -> bool:
        """Tell whether the server binds to an address that only this machine reaches."""
        return is_loopback(self.host)

    @property
    def database(self) -> Path:
        return self.data / _DATABASE

    @property
    def socket(self) -> Path:
        return self.data / _SOCKET

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
        without_injected(env_settings)
        toml = TomlConfigSettingsSource(settings_cls, config_path(init_settings, env_settings))
        return (init_settings, env_settings, toml, DefaultPools(settings_cls, toml))
