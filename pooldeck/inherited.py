"""What the processes that a server starts inherit of its environment: all but its secrets."""

from collections.abc import Mapping
from typing import Final

TOKEN: Final = "POOLDECK_TOKEN"  # noqa: S105 - its name; settings are read in small letters too
URL: Final = "POOLDECK_URL"
"""The variables by which a program finds a server, and is let in; workers get both anew."""

_OIDC: Final = "POOLDECK_OIDC"  # its table, which may have a secret
_LINKED: Final = f"_ENV_{TOKEN}"  # how Docker hands it on to what is linked to a server


def inherited(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what opens the server, or lets it speak for itself."""
    return {name: value for name, value in environment.items() if not _is_secret(name.upper())}


def _is_secret(name: str) -> bool:
    return name == TOKEN or name.endswith(_LINKED) or _OIDC in name
