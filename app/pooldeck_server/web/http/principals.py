"""The principal of a request: the guard puts it there, whoever answers may ask for it."""

from typing import Final

from starlette.types import Scope

from pooldeck_server.domain.access import Principal
from pooldeck_server.domain.actions import Actor, ActorKind
from pooldeck_server.runtime import acting

_KEY: Final = "pooldeck.principal"


def put_principal(scope: Scope, principal: Principal) -> None:
    """Say who asks."""
    scope[_KEY] = principal


def principal_of(scope: Scope) -> Principal | None:
    """Return who asks; None where nobody has to say so (probes, the login page, static files)."""
    principal: Principal | None = scope.get(_KEY)
    return principal


def let_act(scope: Scope) -> None:
    """Let whoever has sent a request be who acts, by name and address, while it is answered."""
    principal = principal_of(scope)
    address = scope["client"][0] if scope["client"] else None
    if principal is None:
        acting.enter(Actor("", ActorKind.STRANGER, address))
    else:
        acting.enter(Actor(principal.name, ActorKind.PRINCIPAL, address))
