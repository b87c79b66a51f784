"""What can be set, by table: the server, its pools, limits, commands and the log file.

Everybody else imports from here; `reading` says in words what is wrong.
"""

from pooldeck_server.settings.commands import CommandSettings, ParameterSettings
from pooldeck_server.settings.limits import LimitSettings, SharedSettings
from pooldeck_server.settings.log import LogSettings
from pooldeck_server.settings.pools import MAX_POOL_SIZE, PoolSettings
from pooldeck_server.settings.reading import OPTIONS, BadSettings, read_settings
from pooldeck_server.settings.server import Settings

__all__ = [
    "MAX_POOL_SIZE",
    "OPTIONS",
    "BadSettings",
    "CommandSettings",
    "LimitSettings",
    "LogSettings",
    "ParameterSettings",
    "PoolSettings",
    "Settings",
    "SharedSettings",
    "read_settings",
]
