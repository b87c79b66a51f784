"""Who acts: said at the door for each request, asked by whoever writes down what is done.

It travels in a context variable. What the server does by its own rules names its part instead:
callbacks of workers may run in the context of whoever has caused them to be started.
"""

import secrets
from contextvars import ContextVar
from typing import Any, Final

from pooldeck_server.domain.actions import Action, Actor, ActorKind, Deed, TargetKind

_ID_BYTES: Final = 8
_actor: ContextVar[Actor] = ContextVar("pooldeck.actor")
_SERVER: Final = Actor("server", ActorKind.SERVER)


def enter(actor: Actor) -> None:
    """Let `actor` be who acts in this context."""
    _actor.set(actor)


def present() -> Actor:
    """Return who acts here: the server, where nobody has asked."""
    return _actor.get(_SERVER)


def part(name: str) -> Actor:
    """Return a part of the server as who acts."""
    return Actor(name, ActorKind.SERVER)


def action(
    at: int,
    deed: Deed,
    target_kind: TargetKind,
    target: str | None = None,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str | None = None,
    by: Actor | None = None,
) -> Action:
    """Return what is being done, to be written in the transaction that does it.

    Args:
        at: When, in microseconds since the epoch.
        deed: What is done.
        target_kind: What it is done to.
        target: The name or the id of that; None for the server, and for many.
        before: What it was, by name.
        after: What it is then.
        reason: What a person gave for it.
        by: Who does it, if not who has asked.
    """
    actor = by or present()
    return Action(
        id=secrets.token_hex(_ID_BYTES),
        at=at,
        actor=actor.name,
        actor_kind=actor.kind,
        address=actor.address,
        deed=deed,
        target_kind=target_kind,
        target=target,
        before=before,
        after=after,
        reason=reason or None,
    )
