"""Where settings come from: variables, the default pools, the path of the configuration file."""

import os
from pathlib import Path
from typing import Any, Final

from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    TomlConfigSettingsSource,
)

from pooldeck_server.domain.errors import StartupError
from pooldeck_server.settings.injected import injected

DEFAULT_CONFIG: Final = Path("pooldeck.toml")
_DEFAULT_POOLS: Final = {"io": {"kind": "thread"}, "cpu": {"kind": "process"}}


class DefaultPools(PydanticBaseSettingsSource):
    """The two pools that exist unless a file names its own."""

    def __init__(self, settings_cls: type[BaseSettings], toml: TomlConfigSettingsSource) -> None:
        super().__init__(settings_cls)
        self._pools = {} if "pools" in toml() else _DEFAULT_POOLS

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        """Required by the base class; this source answers as a whole."""
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        return {"pools": self._pools} if self._pools else {}


def without_injected(source: PydanticBaseSettingsSource) -> None:
    """Let the source of variables pass over those that an orchestrator has set."""
    if isinstance(source, EnvSettingsSource):
        others = {name.lower() for name in injected(os.environ)}
        source.env_vars = {
            name: value for name, value in source.env_vars.items() if name not in others
        }


def config_path(*sources: PydanticBaseSettingsSource) -> Path:
    """Return the configuration file that the first of `sources` names, else the usual one.

    Raises:
        StartupError: If the one that is named does not exist.
    """
    for source in sources:
        if config := source().get("config"):
            path = Path(config)
            if not path.is_file():
                raise StartupError(f"the configuration file {path} does not exist")
            return path
    return DEFAULT_CONFIG
