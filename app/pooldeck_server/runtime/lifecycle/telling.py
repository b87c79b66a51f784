"""Puts together what tells people who do not look at the pages."""

from collections.abc import Callable, Iterable

from pooldeck_server.domain.alerts.rules import WATCHED
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.notices import Notice
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.runtime.alerts.alerts import Alerts
from pooldeck_server.runtime.alerts.callback_sender import CallbackSender
from pooldeck_server.runtime.alerts.callbacks import Callbacks
from pooldeck_server.runtime.alerts.outbox import Outbox
from pooldeck_server.runtime.alerts.rules import AlertRules
from pooldeck_server.runtime.alerts.sender import AlertSender
from pooldeck_server.runtime.alerts.watch import AlertWatch
from pooldeck_server.runtime.alerts.webhooks import Webhooks
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.settings import AlertSettings, Settings
from pooldeck_server.store import queries
from pooldeck_server.store.database import Reader


async def make_callbacks(
    settings: AlertSettings, recorder: Recorder, reader: Reader, clock: Clock
) -> Callbacks:
    """Return what tells the ends of tasks; its sender is not started."""
    webhooks = Webhooks(settings)
    sender = CallbackSender(
        settings=settings,
        webhooks=webhooks,
        recorder=recorder,
        reader=reader,
        clock=clock,
        signing=await reader.run(queries.callback_secrets),
    )
    return Callbacks(
        settings=settings,
        sender=sender,
        webhooks=webhooks,
        recorder=recorder,
        reader=reader,
        clock=clock,
    )


async def make_alerts(
    *,
    settings: Settings,
    recorder: Recorder,
    reader: Reader,
    clock: Clock,
    pools: Callable[[], Iterable[PoolHealth]],
    notices: Callable[[], Iterable[Notice]],
) -> tuple[Alerts, AlertWatch]:
    """Return what can be set and sent, and what looks for things to tell; neither is started."""
    rules = AlertRules(
        recorder=recorder, clock=clock, kept=await reader.run(queries.alert_rule_settings)
    )
    outbox = Outbox(settings=settings.alerts, recorder=recorder, reader=reader, clock=clock)
    webhooks = Webhooks(settings.alerts)
    sender = AlertSender(
        outbox=outbox, webhooks=webhooks, recorder=recorder, reader=reader, clock=clock
    )
    standing = await reader.run(queries.open_alerts, tuple(WATCHED))
    watch = AlertWatch(
        rules=rules,
        recorder=recorder,
        clock=clock,
        pools=pools,
        notices=notices,
        data=settings.data,
        standing=[(each.rule, each.subject) for each in standing],
    )
    alerts = Alerts(
        rules=rules,
        outbox=outbox,
        sender=sender,
        webhooks=webhooks,
        recorder=recorder,
        reader=reader,
        clock=clock,
    )
    return alerts, watch
