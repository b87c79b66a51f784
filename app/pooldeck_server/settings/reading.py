"""Reading the settings, and saying in words which of them is wrong and where to set it."""

import os
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from tomllib import TOMLDecodeError
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError

from pooldeck_server.settings.alerts import AlertSettings
from pooldeck_server.settings.backup import BackupSettings
from pooldeck_server.settings.commands import CommandSettings, ParameterSettings
from pooldeck_server.settings.errors import BadSettings
from pooldeck_server.settings.hosts import HostsSettings
from pooldeck_server.settings.log import LogSettings
from pooldeck_server.settings.oidc import OidcSettings
from pooldeck_server.settings.pools import PoolSettings
from pooldeck_server.settings.removed import REMOVED, no_longer
from pooldeck_server.settings.server import Settings
from pooldeck_server.settings.tracing import TracingSettings
from pooldeck_server.settings.variables import check_variables

OPTIONS = ("host", "port", "data", "config", "functions")
"""The settings that the command line takes as `--NAME` too."""

_TABLES: dict[str, type[BaseModel]] = {
    "pools": PoolSettings,
    "commands": CommandSettings,
    "log": LogSettings,
    "alerts": AlertSettings,
    "backup": BackupSettings,
    "tracing": TracingSettings,
    "oidc": OidcSettings,
    "hosts": HostsSettings,
}
_SECRETS = {"token", "client_secret"}  # the names of settings
_LONGEST_VALUE = 80


def read_settings(given: Mapping[str, Any]) -> Settings:
    """Return the settings: those `given` beat variables, and variables beat the file.

    Raises:
        BadSettings: If any of them is not possible.
        StartupError: If the configuration file that is named does not exist.
    """
    check_variables(os.environ)
    return _in_words_if_bad(lambda: Settings(**given))


def read_anew(settings: Settings) -> Settings:
    """Return settings as the variables and the configuration file have them now.

    Raises:
        BadSettings: If any of them is not possible.
        StartupError: If the configuration file that is named does not exist any more.
    """
    return _in_words_if_bad(settings.read_anew)


def _in_words_if_bad(read: Callable[[], Settings]) -> Settings:
    try:
        return read()
    except ValidationError as error:
        raise BadSettings([_in_words(problem) for problem in error.errors()]) from error
    except TOMLDecodeError as error:
        raise BadSettings([f"the configuration file is not valid TOML: {error}"]) from error
    except (SettingsError, UnicodeDecodeError, OSError) as error:
        raise BadSettings([f"the settings cannot be read: {error}"]) from error


def _in_words(problem: ErrorDetails) -> str:
    """Return one line: the setting, its value, what is wrong with it, how to set it."""
    path = tuple(str(part) for part in problem["loc"] if part != "[key]")
    reason = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if not path:
        return reason
    name = ".".join(path)
    match problem["type"]:
        case "missing":
            return f"{name} is missing. {_how_to_set(path)}"
        case "extra_forbidden" if name in REMOVED:
            return no_longer(name)
        case "extra_forbidden":
            return f"{name}: there is no such setting{_suggestion(path)}"
    return f"{name}{_value(path, problem['input'])}: {reason}. {_how_to_set(path)}"


def _value(path: tuple[str, ...], value: Any) -> str:
    """Return ` = VALUE`, shortened; nothing for a secret or a whole table."""
    if path[-1] in _SECRETS or isinstance(value, dict):
        return ""
    text = repr(value)
    return f" = {text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + '…'}"


def _how_to_set(path: tuple[str, ...]) -> str:
    ways = [f"POOLDECK_{'__'.join(path).upper()}"]
    if path[0] in OPTIONS:
        ways.insert(0, f"--{path[0]}")
    table = f" under [{'.'.join(path[:-1])}]" if path[1:] else ""
    return f"Set it by {', '.join(ways)} or {path[-1]}{table} in pooldeck.toml"


def _suggestion(path: tuple[str, ...]) -> str:
    """Return `; did you mean NAME?` where a setting of a similar name exists beside it."""
    close = get_close_matches(path[-1], _names_beside(path), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _names_beside(path: tuple[str, ...]) -> list[str]:
    table: type[BaseModel] = Settings
    if path[1:] and path[0] in _TABLES:
        table = ParameterSettings if "parameters" in path[2:-1] else _TABLES[path[0]]
    elif path[1:] and isinstance(default := Settings.model_fields[path[0]].default, BaseModel):
        table = type(default)
    return list(table.model_fields)
