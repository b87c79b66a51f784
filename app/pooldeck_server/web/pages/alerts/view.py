"""What the page of alerts shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from pooldeck_server.domain.alerts.callbacks import Signing, StoredCallback
from pooldeck_server.domain.alerts.deliveries import (
    DeliveryState,
    DestinationKind,
    StoredDelivery,
    StoredDestination,
)
from pooldeck_server.domain.alerts.rules import RULES, StoredAlert, StoredRule
from pooldeck_server.web.pages.shared.flash import FLASHES
from pooldeck_server.web.pages.shared.refusal import FormRefusal
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.text.alerts import delivery_state, rule_title, rule_words, unit_words
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.recorded import alert_subject, alert_words

_MARKS: Final = {
    DeliveryState.WAITING: "queued",
    DeliveryState.DELIVERED: "succeeded",
    DeliveryState.GIVEN_UP: "failed",
}


@dataclass(frozen=True)
class RuleRow:
    """A rule with its numbers as a form shows them."""

    name: str
    title: str
    words: str
    is_on: bool
    threshold: str  # "" where it has none
    unit: str
    quiet: str  # minutes; "" where the settings say it
    told_at: int | None

    @classmethod
    def of(cls, rule: StoredRule) -> "RuleRow":
        kind = RULES[rule.rule]
        threshold = kind.threshold if rule.threshold is None else rule.threshold
        quiet = rule.quiet_seconds
        return cls(
            name=rule.rule.value,
            title=rule_title(rule.rule),
            words=rule_words(rule.rule),
            is_on=rule.is_on,
            threshold="" if threshold is None else f"{threshold:g}",
            unit=unit_words(kind.unit),
            quiet="" if quiet is None else f"{quiet / 60:g}",
            told_at=rule.told_at,
        )


def typed_rule(row: RuleRow, typed: Mapping[str, str]) -> RuleRow:
    """Return a rule as a form shows it that came back: with what was typed."""
    return replace(
        row,
        is_on="is_on" in typed,
        threshold=typed.get("threshold", row.threshold),
        quiet=typed.get("quiet", row.quiet),
    )


@dataclass(frozen=True)
class AlertRow:
    """Something that a rule speaks of."""

    title: str
    subject: str
    text: str
    path: str
    count: int
    begun_at: int

    @classmethod
    def of(cls, alert: StoredAlert) -> "AlertRow":
        return cls(
            title=rule_title(alert.rule),
            subject=alert_subject(alert.subject),
            text=alert_words(alert.text),
            path=alert.path,
            count=alert.count,
            begun_at=alert.begun_at,
        )


@dataclass(frozen=True)
class DeliveryRow:
    """A delivery, with its state as a word and as a mark."""

    delivery: StoredDelivery
    state: str
    mark: str
    button: str
    can_be_sent: bool

    @classmethod
    def of(cls, delivery: StoredDelivery, *, is_on: bool) -> "DeliveryRow":
        """Return the row of a delivery whose destination is on, or not."""
        is_waiting = delivery.state is DeliveryState.WAITING
        return cls(
            delivery=delivery,
            state=delivery_state(delivery.state),
            mark=_MARKS[delivery.state],
            button=_("Retry now") if is_waiting else _("Send again"),
            can_be_sent=is_on,
        )


@dataclass(frozen=True)
class RuleChoice:
    """A rule as one of those that a destination may be told of."""

    name: str
    title: str
    is_chosen: bool


@dataclass(frozen=True)
class DestinationRow:
    """A destination, with the rules that it is told of."""

    destination: StoredDestination
    choices: Sequence[RuleChoice]
    number: int  # of those that are chosen
    takes_all: bool

    @classmethod
    def of(cls, destination: StoredDestination) -> "DestinationRow":
        choices = [RuleChoice(each, rule_title(each), destination.takes(each)) for each in RULES]
        number = sum(each.is_chosen for each in choices)
        return cls(destination, choices, number, destination.rules is None)


@dataclass(frozen=True)
class CallbackRow:
    """The end of a task that is told, with its state as a word and as a mark."""

    delivery: StoredCallback
    state: str
    mark: str
    button: str

    @classmethod
    def of(cls, delivery: StoredCallback) -> "CallbackRow":
        is_waiting = delivery.state is DeliveryState.WAITING
        return cls(
            delivery=delivery,
            state=delivery_state(delivery.state),
            mark=_MARKS[delivery.state],
            button=_("Retry now") if is_waiting else _("Send again"),
        )


@dataclass(frozen=True)
class NewSecret:
    """A secret that signs, on the one page that shows it."""

    name: str
    secret: str


@dataclass(frozen=True)
class DestinationForm:
    """What somebody has typed for a destination."""

    name: str = ""
    url: str = ""
    kind: str = DestinationKind.WEBHOOK.value


@dataclass(frozen=True)
class AlertsView(Page):
    """Rules, destinations and deliveries; `quiet` is the usual quiet time in minutes.

    `refusal` says what was wrong with the form that was sent.
    """

    template = "alerts/page.html"
    section = "alerts"
    flashes = FLASHES["alerts"]

    rules: Sequence[RuleRow]
    alerts: Sequence[AlertRow]
    destinations: Sequence[DestinationRow]
    deliveries: Sequence[DeliveryRow]
    callbacks: Sequence[CallbackRow]
    signing: Signing
    quiet: str
    older: int | None = None
    is_first: bool = True
    secret: NewSecret | None = None
    form: DestinationForm = DestinationForm()
    refusal: FormRefusal | None = None
