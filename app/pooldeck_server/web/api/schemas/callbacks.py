"""Callbacks as the API shows them."""

from typing import Annotated

from msgspec import Meta, Struct

from pooldeck_server.domain.alerts.callbacks import StoredCallback
from pooldeck_server.domain.alerts.deliveries import DeliveryState
from pooldeck_server.web.api.schemas.types import (
    Timestamp,
    optional_timestamp,
    shown,
    timestamp,
)


class CallbackDelivery(Struct, frozen=True):
    """The end of a task on its way to where it is told, or what became of that."""

    id: int
    message: Annotated[str, Meta(description="Its `webhook-id`, the same for every try.")]
    task: Annotated[str, Meta(description="Its id; the task may be deleted by now.")]
    url: Annotated[str, Meta(description="Of the address only what is not secret.")]
    state: DeliveryState
    tries: Annotated[int, Meta(ge=0)]
    created_at: Timestamp
    next_at: Timestamp | None
    last_at: Timestamp | None
    status: Annotated[int | None, Meta(description="Of the last answer.")]
    answer: Annotated[str | None, Meta(description="How the last try ended.")]

    @classmethod
    def of(cls, delivery: StoredCallback) -> "CallbackDelivery":
        return shown(
            cls,
            delivery,
            url=delivery.shown_url,
            created_at=timestamp(delivery.created_at),
            next_at=optional_timestamp(delivery.next_at),
            last_at=optional_timestamp(delivery.last_at),
        )


class CallbackList(Struct, frozen=True):
    """Whether callbacks are told, and a page of them, the latest first."""

    is_on: bool
    trouble: Annotated[str | None, Meta(description="Why the server turned them off by itself.")]
    items: list[CallbackDelivery]
    next_before: Annotated[int | None, Meta(description="For `before` of the next page.")]


class CallbackSecret(Struct, frozen=True):
    """The secret that signs callbacks, which is told only this once."""

    secret: Annotated[str, Meta(description="`whsec_…`")]
    is_on: bool


class CallbackDone(Struct, frozen=True):
    """Whether callbacks are on, and which of them is told again."""

    is_on: bool
    delivery: int | None = None
