"""Actions: who did what to what, when, from where and why, as the log of actions keeps it."""

from enum import StrEnum
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import quote

from msgspec import Struct


class ActorKind(StrEnum):
    """What somebody is who does something."""

    PRINCIPAL = "principal"  # somebody who was let in
    STRANGER = "stranger"  # somebody who was not
    SERVER = "server"  # a part of the server, by its own rules


class Actor(Struct, frozen=True):
    """Who does something.

    `name` is that of a principal, or of a part of the server; `address` is where the request came
    from, as far as the proxies that are trusted tell.
    """

    name: str
    kind: ActorKind
    address: str | None = None


class Deed(StrEnum):
    """What can be done."""

    CANCEL = "cancel"
    KILL = "kill"
    RETRY = "retry"
    EDIT = "edit"
    RESIZE = "resize"
    PAUSE = "pause"
    RESUME = "resume"
    DRAIN = "drain"
    RESTART = "restart"
    KILL_WORKER = "kill_worker"
    DRAIN_HOST = "drain_host"
    END_HOST = "end_host"
    HOLD = "hold"
    RELEASE = "release"
    PLACE = "place"
    DEPLOY = "deploy"
    FIX = "fix"
    MUTE = "mute"
    UNMUTE = "unmute"
    REOPEN = "reopen"
    BEGIN_EXPERIMENT = "begin_experiment"
    STOP_EXPERIMENT = "stop_experiment"
    SETTLE_RESTORED = "settle_restored"
    LOG_IN = "log_in"
    LOG_OUT = "log_out"
    FAIL_LOG_IN = "fail_log_in"
    CREATE_TOKEN = "create_token"  # noqa: S105 - what is done, not a secret
    REVOKE_TOKEN = "revoke_token"  # noqa: S105 - the same
    DELETE = "delete"
    STOP_DELETION = "stop_deletion"
    KEEP = "keep"
    LET_GO = "let_go"
    SET_RETENTION = "set_retention"
    ALLOW_DELETION = "allow_deletion"
    VOUCH_FOR_CLOCK = "vouch_for_clock"
    SET_ALERT_RULE = "set_alert_rule"
    ADD_DESTINATION = "add_destination"
    REMOVE_DESTINATION = "remove_destination"
    TURN_DESTINATION = "turn_destination"
    CHOOSE_ALERT_RULES = "choose_alert_rules"
    ROTATE_SECRET = "rotate_secret"  # noqa: S105 - the same
    TEST_DESTINATION = "test_destination"
    RETRY_DELIVERY = "retry_delivery"
    TURN_CALLBACKS = "turn_callbacks"
    SEE_NOTICE = "see_notice"
    UNSEE_NOTICE = "unsee_notice"


TargetKind: TypeAlias = Literal[
    "task",
    "tasks",
    "pool",
    "worker",
    "host",
    "function",
    "error_group",
    "experiment",
    "server",
    "session",
    "token",
    "alert_rule",
    "destination",
    "callbacks",
    "notice",
]
"""What something is done to; "tasks" are many at once."""

AT_ONCE: Final = "at_once"
"""What stands for the time of a task that is to run as soon as it can."""

_PAGES: Final = {
    "task": "/tasks/",
    "function": "/functions/",
    "error_group": "/errors/",
    "experiment": "/experiments/",
    "pool": "/pools#",
}


class Action(Struct, frozen=True, kw_only=True):
    """Something that was done, at `at` (microseconds since the epoch).

    What is written of the same `id` again adds to its `number`: of many tasks that are cancelled in
    several commits, and of wrong tokens. `before` and `after` say what was changed, by name.
    """

    id: str
    at: int
    actor: str
    actor_kind: ActorKind
    address: str | None
    deed: Deed
    target_kind: TargetKind
    target: str | None
    number: int = 1
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    reason: str | None = None

    @property
    def href(self) -> str | None:
        """Return the page of what it was done to, if that has one."""
        page = _PAGES.get(self.target_kind)
        return None if page is None or self.target is None else page + quote(self.target)


class ActionFilter(Struct, frozen=True):
    """Which actions are meant. Values of `deeds` add up, different fields narrow.

    `target` is a name or an id; what was done to many tasks is meant by the id of each of them.
    `since` and `until` are microseconds since the epoch; until is exclusive. `text` is looked for
    in names, targets, addresses and reasons.
    """

    actor: str | None = None
    deeds: tuple[Deed, ...] = ()
    target_kind: TargetKind | None = None
    target: str | None = None
    since: int | None = None
    until: int | None = None
    text: str | None = None


class ActionPage(Struct, frozen=True):
    """A page of the log, newest first; `next_cursor` continues it, None at the end."""

    items: tuple[Action, ...]
    next_cursor: str | None
