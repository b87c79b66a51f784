"""What can be set, by table: the server, its pools, limits, commands, log file and terminal.

Everybody else imports from here; `reading` says in words what is wrong.
"""

from pooldeck_server.settings.actions import ActionSettings
from pooldeck_server.settings.alerts import AlertSettings
from pooldeck_server.settings.backup import BackupSettings
from pooldeck_server.settings.commands import CommandSettings, ParameterSettings
from pooldeck_server.settings.errors import BadSettings
from pooldeck_server.settings.hosts import MAX_HOSTS, HostedSettings, HostsSettings
from pooldeck_server.settings.injected import injected
from pooldeck_server.settings.limits import LimitSettings, SharedSettings
from pooldeck_server.settings.log import LogSettings
from pooldeck_server.settings.metrics import MetricsSettings
from pooldeck_server.settings.oidc import GroupSettings, OidcSettings
from pooldeck_server.settings.pools import MAX_POOL_SIZE, PoolSettings
from pooldeck_server.settings.reading import OPTIONS, read_anew, read_settings
from pooldeck_server.settings.retention import RetentionSettings
from pooldeck_server.settings.server import Settings
from pooldeck_server.settings.terminal import TerminalSettings
from pooldeck_server.settings.tracing import TracingSettings, is_installed, wanted_tracing
from pooldeck_server.settings.variables import check_variables

__all__ = [
    "MAX_HOSTS",
    "MAX_POOL_SIZE",
    "OPTIONS",
    "ActionSettings",
    "AlertSettings",
    "BackupSettings",
    "BadSettings",
    "CommandSettings",
    "GroupSettings",
    "HostedSettings",
    "HostsSettings",
    "LimitSettings",
    "LogSettings",
    "MetricsSettings",
    "OidcSettings",
    "ParameterSettings",
    "PoolSettings",
    "RetentionSettings",
    "Settings",
    "SharedSettings",
    "TerminalSettings",
    "TracingSettings",
    "check_variables",
    "injected",
    "is_installed",
    "read_anew",
    "read_settings",
    "wanted_tracing",
]
