"""Alerts as the API shows them, and what may be set."""

from typing import Annotated, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from pooldeck_server.domain.alerts.deliveries import (
    MAX_NAME,
    MAX_URL,
    DeliveryState,
    DestinationKind,
    StoredDelivery,
    StoredDestination,
)
from pooldeck_server.domain.alerts.rules import (
    MOST_QUIET_SECONDS,
    RULES,
    AlertRule,
    StoredAlert,
    StoredRule,
)
from pooldeck_server.web.api.schemas.types import (
    Timestamp,
    optional_timestamp,
    shown,
    timestamp,
)

Quiet: TypeAlias = Annotated[
    float,
    Meta(ge=0, le=MOST_QUIET_SECONDS, description="Seconds without a further message."),
]


Rules: TypeAlias = Annotated[
    tuple[AlertRule, ...],
    Meta(min_length=1, max_length=len(RULES), description="That it is told of; null: all."),
]


class AlertRuleInfo(Struct, frozen=True):
    """A rule; a threshold has a `unit`, and `quiet_seconds` is null where the settings say it."""

    rule: AlertRule
    is_on: bool
    threshold: float | None
    unit: str | None
    quiet_seconds: float | None
    told_at: Timestamp | None

    @classmethod
    def of(cls, rule: StoredRule) -> "AlertRuleInfo":
        kind = RULES[rule.rule]
        threshold = kind.threshold if rule.threshold is None else rule.threshold
        told_at = optional_timestamp(rule.told_at)
        return shown(cls, rule, threshold=threshold, unit=kind.unit, told_at=told_at)


class AlertInfo(Struct, frozen=True):
    """What a rule speaks of, and when that began."""

    rule: AlertRule
    subject: str
    begun_at: Timestamp
    last_at: Timestamp
    count: Annotated[int, Meta(ge=0)]
    text: str
    path: Annotated[str, Meta(description="Of the page that tells more.")]

    @classmethod
    def of(cls, alert: StoredAlert) -> "AlertInfo":
        begun_at, last_at = timestamp(alert.begun_at), timestamp(alert.last_at)
        return shown(cls, alert, begun_at=begun_at, last_at=last_at)


class AlertList(Struct, frozen=True):
    """All rules, and the alerts that are not over or happened lately."""

    rules: list[AlertRuleInfo]
    items: list[AlertInfo]


class AlertRuleChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What to set for a rule; what is left out stays, null is as it comes."""

    is_on: bool | UnsetType = UNSET
    threshold: float | UnsetType | None = UNSET
    quiet_seconds: Quiet | UnsetType | None = UNSET


class AlertDestination(Struct, frozen=True):
    """Who is told; of the address only what is not secret, of the secrets nothing."""

    id: int
    name: str
    kind: DestinationKind
    url: str
    is_on: bool
    trouble: Annotated[str | None, Meta(description="Why the server turned it off by itself.")]
    created_at: Timestamp
    rules: Annotated[
        tuple[AlertRule, ...] | None, Meta(description="That it is told of; null: all.")
    ]

    @classmethod
    def of(cls, destination: StoredDestination) -> "AlertDestination":
        created_at = timestamp(destination.created_at)
        return shown(cls, destination, url=destination.shown_url, created_at=created_at)


class AlertDestinationList(Struct, frozen=True):
    """All destinations."""

    items: list[AlertDestination]


class NewAlertDestination(Struct, frozen=True, forbid_unknown_fields=True):
    """A destination to add: an address of a webhook, or one that Apprise knows."""

    name: Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
    url: Annotated[str, Meta(min_length=1, max_length=MAX_URL)]
    kind: DestinationKind = DestinationKind.WEBHOOK
    rules: Rules | None = None


class AlertDestinationChange(Struct, frozen=True, forbid_unknown_fields=True):
    """Which rules a destination is told of; null: all, also those that come later."""

    rules: Rules | None


class AlertSecret(Struct, frozen=True):
    """A destination with the secret that signs what it gets, which is told only this once."""

    destination: AlertDestination
    secret: Annotated[str | None, Meta(description="`whsec_…`; null where nothing is signed.")]


class AlertDelivery(Struct, frozen=True):
    """A message on its way to a destination, or what became of it."""

    id: int
    message: Annotated[str, Meta(description="Its `webhook-id`, the same for every try.")]
    destination: int
    name: Annotated[str, Meta(description="The destination's.")]
    type: str
    state: DeliveryState
    tries: Annotated[int, Meta(ge=0)]
    created_at: Timestamp
    next_at: Timestamp | None
    last_at: Timestamp | None
    status: Annotated[int | None, Meta(description="Of the last answer.")]
    answer: Annotated[str | None, Meta(description="How the last try ended.")]

    @classmethod
    def of(cls, delivery: StoredDelivery) -> "AlertDelivery":
        return shown(
            cls,
            delivery,
            created_at=timestamp(delivery.created_at),
            next_at=optional_timestamp(delivery.next_at),
            last_at=optional_timestamp(delivery.last_at),
        )


class AlertDeliveryList(Struct, frozen=True):
    """A page of deliveries, the latest first."""

    items: list[AlertDelivery]
    next_before: Annotated[int | None, Meta(description="For `before` of the next page.")]


class AlertDone(Struct, frozen=True):
    """What was changed; `delivery` is that of a test, or the one that is tried again."""

    destination: int | None = None
    delivery: int | None = None
