"""Figures of alerts and callbacks: what was sent, what waits, and who is not told."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily as _Counter
from prometheus_client.core import GaugeMetricFamily as _Gauge
from prometheus_client.core import Metric

from pooldeck_server.domain.alerts.outbox import MessageKind, OutboxState, SendOutcome
from pooldeck_server.domain.clock import seconds
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.api.figures import family, one

_KIND: Final = ("kind",)


def of_outbox(server: Server, state: OutboxState) -> Iterator[Metric]:
    """Yield one family after another."""
    senders = {
        MessageKind.ALERT: server.alerts.sender,
        MessageKind.CALLBACK: server.callbacks.sender,
    }
    outcomes = (
        ((kind.value, outcome.value), sender.outcomes[outcome])
        for kind, sender in senders.items()
        for outcome in SendOutcome
    )
    words = "Tries to send a message since the server started, by how they ended."
    yield family(_Counter, "deliveries", words, ("kind", "outcome"), outcomes)
    now = server.clock.now()
    waiting = {MessageKind.ALERT: state.alerts, MessageKind.CALLBACK: state.callbacks}
    words = "Messages that wait to be sent, to those who are on."
    numbers = (((kind.value,), each.number) for kind, each in waiting.items())
    yield family(_Gauge, "deliveries_waiting", words, _KIND, numbers)
    words = "How long the oldest of them has waited."
    waits = (((kind.value,), _age(each.since, now)) for kind, each in waiting.items())
    yield family(_Gauge, "deliveries_oldest_wait_seconds", words, _KIND, waits)
    words = "Destinations of alerts."
    states = (
        (("on",), state.destinations - state.destinations_off),
        (("off",), state.destinations_off),
    )
    yield family(_Gauge, "alert_destinations", words, ("state",), states)
    words = "Destinations that the server turned off by itself, callbacks as one of them."
    yield one(_Gauge, "alert_destinations_turned_off", words, state.turned_off)


def _age(since: int | None, now: int) -> float:
    return 0.0 if since is None else max(0.0, seconds(now - since))
