"""Opens the logins by OpenID Connect, if there are to be any; else nothing of them is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pooldeck_server.domain.errors import StartupError
from pooldeck_server.domain.logins import ORIGIN

if TYPE_CHECKING:
    from pooldeck_server.domain.clock import Clock
    from pooldeck_server.runtime.access.oidc.logins import OidcLogins
    from pooldeck_server.runtime.access.sessions import Sessions
    from pooldeck_server.settings import OidcSettings


async def open_logins(
    settings: OidcSettings | None, sessions: Sessions, clock: Clock
) -> OidcLogins | None:
    """Return the logins by a provider; None where none is set.

    Sessions that an earlier server has begun by other settings end: who has which role may be
    another by now.

    Raises:
        StartupError: If the library for it is not installed.
    """
    await sessions.end_others_of(ORIGIN, None if settings is None else settings.origin)
    if settings is None:
        return None
    try:
        from pooldeck_server.runtime.access.oidc.logins import OidcLogins  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise StartupError(
            f"[oidc] needs the package {error.name}: pip install 'pooldeck[server,oidc]'"
        ) from None
    return OidcLogins(settings, sessions, clock)
