"""Actions in the words of the reader's language."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from pooldeck_server.domain.access import ANYBODY, OWNER
from pooldeck_server.domain.actions import AT_ONCE, Action, ActorKind, Deed
from pooldeck_server.domain.clock import micros
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later
from pooldeck_server.web.text.reasons import role_word
from pooldeck_server.web.text.states import state_word

DEEDS: Final[Mapping[Deed, str]] = {
    Deed.CANCEL: later("cancelled"),
    Deed.KILL: later("killed"),
    Deed.RETRY: later("retried"),
    Deed.EDIT: later("changed"),
    Deed.RESIZE: later("resized"),
    Deed.PAUSE: later("paused"),
    Deed.RESUME: later("resumed"),
    Deed.DRAIN: later("drained"),
    Deed.RESTART: later("restarted"),
    Deed.KILL_WORKER: later("killed a worker"),
    Deed.DRAIN_HOST: later("drained a host"),
    Deed.END_HOST: later("ended a host"),
    Deed.HOLD: later("put on hold"),
    Deed.RELEASE: later("released"),
    Deed.PLACE: later("placed"),
    Deed.DEPLOY: later("new code"),
    Deed.FIX: later("marked as fixed"),
    Deed.MUTE: later("muted"),
    Deed.UNMUTE: later("unmuted"),
    Deed.REOPEN: later("reopened"),
    Deed.BEGIN_EXPERIMENT: later("experiment begun"),
    Deed.STOP_EXPERIMENT: later("experiment stopped"),
    Deed.SETTLE_RESTORED: later("backup's tasks decided"),
    Deed.LOG_IN: later("logged in"),
    Deed.LOG_OUT: later("logged out"),
    Deed.FAIL_LOG_IN: later("wrong token"),
    Deed.CREATE_TOKEN: later("token made"),
    Deed.REVOKE_TOKEN: later("token revoked"),
    Deed.DELETE: later("deleted"),
    Deed.STOP_DELETION: later("deletion stopped"),
    Deed.KEEP: later("kept from deletion"),
    Deed.LET_GO: later("kept no longer"),
    Deed.SET_RETENTION: later("retention set"),
    Deed.ALLOW_DELETION: later("deletion allowed"),
    Deed.VOUCH_FOR_CLOCK: later("vouched for the clock"),
    Deed.SET_ALERT_RULE: later("alert rule set"),
    Deed.ADD_DESTINATION: later("destination added"),
    Deed.REMOVE_DESTINATION: later("destination removed"),
    Deed.TURN_DESTINATION: later("destination turned on or off"),
    Deed.CHOOSE_ALERT_RULES: later("alerts of a destination chosen"),
    Deed.ROTATE_SECRET: later("secret changed"),
    Deed.TEST_DESTINATION: later("test of alerts sent"),
    Deed.RETRY_DELIVERY: later("alert sent again"),
    Deed.TURN_CALLBACKS: later("callbacks turned on or off"),
    Deed.SEE_NOTICE: later("notice seen"),
    Deed.UNSEE_NOTICE: later("notice shown again"),
}


def _time_word(text: str) -> str:
    """Return the time set for a task, in the reader's zone."""
    return _("at once") if text == AT_ONCE else formats.moment(micros(datetime.fromisoformat(text)))


_WORDS: Final[Mapping[str, Callable[[str], str]]] = {
    "role": role_word,
    "run_at": _time_word,
    "state": state_word,
}
_PEOPLE: Final[Mapping[str, str]] = {
    ANYBODY.name: later("anybody"),
    OWNER.name: later("owner"),
}
_PARTS: Final[Mapping[str, str]] = {
    "alerts": later("alerts"),
    "functions": later("functions"),
    "holds": later("holds"),
    "placement": later("placement"),
    "retention": later("retention"),
}
_FIELDS: Final[Mapping[str, str]] = {  # of what was changed; others are as the API names them
    "arguments": later("arguments"),
    "chosen": later("chosen"),
    "deletion": later("deletion"),
    "delivery": later("delivery"),
    "function": later("function"),
    "hosts": later("hosts"),
    "is_on": later("on"),
    "kind": later("kind"),
    "number": later("number"),
    "pool": later("pool"),
    "priority": later("priority"),
    "role": later("role"),
    "rules": later("rules"),
    "run_at": later("run at"),
    "size": later("size"),
    "state": later("state"),
    "version": later("version"),
    "waiting": later("waiting"),
}


def deed_words(deed: Deed) -> str:
    return _(DEEDS[deed])


def actor_words(action: Action) -> str:
    """Return who did it; a part of the server is named as such."""
    if action.actor_kind is ActorKind.STRANGER:
        return _("somebody not let in")
    if action.actor_kind is ActorKind.SERVER:
        return _("the server (%(part)s)", part=_(_PARTS.get(action.actor, action.actor)))
    return person_words(action.actor)


def person_words(name: str) -> str:
    """Return who somebody is; names that people or tokens have stay as they are."""
    return _(_PEOPLE[name]) if name in _PEOPLE else name


def change_words(action: Action) -> str:
    """Return what was changed, such as "size 2 → 4"; empty where nothing is known."""
    return _(", ").join(_changes(action.before or {}, action.after or {}))


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name in (*before, *(name for name in after if name not in before)):
        old, new = before.get(name), after.get(name)
        if name in before and name in after:
            yield f"{_field(name)} {_value(name, old)} → {_value(name, new)}"
        else:
            yield f"{_field(name)} {_value(name, new if name in after else old)}"


def _field(name: str) -> str:
    return _(_FIELDS[name]) if name in _FIELDS else name


def _value(name: str, value: Any) -> str:
    match value:
        case None:
            return formats.NOTHING
        case dict():
            return _(", ").join(f"{key}: {_value(key, each)}" for key, each in value.items())
        case list():
            return _(", ").join(_value(name, each) for each in value)
        case bool():
            return _("yes") if value else _("no")
        case int():
            return formats.count(value)
    words = _WORDS.get(name, str)
    return words(str(value))
