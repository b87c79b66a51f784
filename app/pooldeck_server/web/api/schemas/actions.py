"""The log of actions as the API shows it."""

from typing import Annotated, Any, Self

from msgspec import Meta, Struct

from pooldeck_server.domain import actions
from pooldeck_server.web.api.schemas.types import Timestamp, shown, timestamp


class LoggedAction(Struct, frozen=True):
    """Something that was done.

    `actor` is the name of who did it: of a principal, of a part of the server, empty for somebody
    who was not let in. `address` is where the request came from. `target` is null for the server,
    and for many tasks at once; `number` is how many there were. `before` and `after` say what was
    changed, `reason` what a person gave for it.
    """

    id: str
    at: Timestamp
    actor: str
    actor_kind: actions.ActorKind
    address: str | None
    deed: actions.Deed
    target_kind: actions.TargetKind
    target: str | None
    number: Annotated[int, Meta(description="More than 1 of what was done to many at once.")]
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    reason: str | None
    href: Annotated[str | None, Meta(description="The page of the target, if it has one.")]

    @classmethod
    def of(cls, action: actions.Action) -> Self:
        return shown(cls, action, at=timestamp(action.at))


class ActionList(Struct, frozen=True):
    """A page of the log, newest first; `next_cursor` continues it, null at the end."""

    items: list[LoggedAction]
    next_cursor: str | None
