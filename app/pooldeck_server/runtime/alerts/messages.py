"""Messages: what is sent of alerts, thin as Standard Webhooks prefers it, and in words.

Neither arguments nor results nor messages of exceptions are in them: who wants to know more follows
the link, and has to be let in there.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from pooldeck_server.domain.alerts.deliveries import MAX_PAYLOAD
from pooldeck_server.domain.alerts.rules import RULES, AlertRule, StoredAlert
from pooldeck_server.domain.clock import seconds

TEST: Final = "alert.test"
_MOST_SHOWN: Final = 20  # alerts of one message
_LONGEST_SUBJECT: Final = 200  # characters
_TITLES: Final = {
    AlertRule.NEW_ERROR: "New error",
    AlertRule.RETURNED_ERROR: "Error returned after a fix",
    AlertRule.FUNCTION_ON_HOLD: "Function on hold",
    AlertRule.WORKER_DIED: "Worker died",
    AlertRule.POOL_BROKEN: "Pool broken",
    AlertRule.OLDEST_WAIT: "Tasks wait too long",
    AlertRule.LOSSY_STOP: "Tasks were cut off",
    AlertRule.LOW_DISK: "Disk nearly full",
    AlertRule.SLOW_WRITES: "Database lags",
    AlertRule.ADVICE: "Better in another pool",
    AlertRule.STARVATION: "Pool starves",
    AlertRule.STUCK_TASK: "Task stuck",
    AlertRule.NO_BACKUP: "No backup",
}


class MessageAlert(Struct, frozen=True):
    """An alert as a message tells of it."""

    subject: str
    state: str  # happened, begun, over
    count: int  # facts that no message told of before
    begun_at: str
    last_at: str
    over_at: str | None
    text: str
    url: str


class MessageData(Struct, frozen=True):
    """The alerts of one rule; `more` are not shown."""

    rule: str
    title: str
    alerts: tuple[MessageAlert, ...]
    more: int = 0


class Message(Struct, frozen=True):
    """The body of a webhook."""

    type: str
    timestamp: str
    data: MessageData


def message_of(rule: AlertRule, alerts: Sequence[StoredAlert], now: int, base: str = "") -> Message:
    """Return the message that tells all that is new of `alerts`, of one rule.

    `base` is put before the paths of pages.
    """
    shown = tuple(_alert(each, base) for each in alerts[:_MOST_SHOWN])
    while True:
        data = MessageData(rule.value, _TITLES[rule], shown, len(alerts) - len(shown))
        message = Message(f"alert.{rule}", _time(now), data)
        if len(msgspec.json.encode(message)) < MAX_PAYLOAD:
            return message
        shown = shown[:-1]


def test_message(now: int) -> Message:
    return Message(TEST, _time(now), MessageData("test", "Test of Pooldeck's alerts", ()))


def _alert(alert: StoredAlert, base: str) -> MessageAlert:
    begins = "begun" if RULES[alert.rule].is_standing else "happened"
    return MessageAlert(
        subject=alert.subject[:_LONGEST_SUBJECT],
        state="over" if alert.over_at is not None else begins,
        count=alert.count - alert.told,
        begun_at=_time(alert.begun_at),
        last_at=_time(alert.last_at),
        over_at=None if alert.over_at is None else _time(alert.over_at),
        text=alert.text,
        url=base + alert.path,
    )


def in_words(payload: str) -> tuple[str, str]:
    """Return title and text of a message, for services that show it to people."""
    data = msgspec.json.decode(payload, type=Message).data
    lines = [line for alert in data.alerts for line in _lines(alert)]
    if data.more:
        lines.append(f"and {data.more} more")
    is_over = bool(data.alerts) and all(each.state == "over" for each in data.alerts)
    title = f"It is over: {data.title}" if is_over else data.title
    return f"Pooldeck: {title}", "\n".join(lines) or "This is a test: alerts arrive here."


def _lines(alert: MessageAlert) -> list[str]:
    times = f" ({alert.count} times)" if alert.count > 1 else ""
    over = " is over" if alert.state == "over" else ""
    return [f"{alert.subject}{over}{times}: {alert.text}", f"  {alert.url}"]


def _time(moment: int) -> str:
    text: Any = datetime.fromtimestamp(seconds(moment), UTC).isoformat(timespec="seconds")
    return str(text).replace("+00:00", "Z")
