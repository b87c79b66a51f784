"""Alerts as they are kept: in the commit of what they tell of, and never many."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from pooldeck_server.domain.alerts.deliveries import (
    MAX_KEPT,
    MAX_WAITING,
    DeliveryState,
    DestinationKind,
    NewDelivery,
    NewDestination,
)
from pooldeck_server.domain.alerts.rules import AlertFact, AlertRule, StoredAlert, StoredRule
from pooldeck_server.domain.clock import HOUR
from pooldeck_server.domain.failures.error_groups import GroupChange
from pooldeck_server.domain.failures.incidents import StoredIncident, TaskName
from pooldeck_server.domain.pools.controls import (
    CutOff,
    CutOffTask,
    Hold,
    ServerRun,
    StartReport,
)
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.store import queries, records
from pooldeck_server.store.records.alerts import MAX_SUBJECTS, OTHERS
from pooldeck_server.store.tables import deliveries
from tests.pooldeck_server.store.records.test_error_groups import NOW, failed
from tests.support.stored import Store, opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with opened(tmp_path) as opened_store:
        yield opened_store


def news(store: Store, rule: AlertRule) -> list[StoredAlert]:
    return [each for each in store.read(queries.alert_news) if each.rule is rule]


def fail(store: Store, message: str, at: int = NOW) -> None:
    store.write(records.end, [failed(store.running(), message, at)])


def tell_all(store: Store) -> None:
    for each in store.read(queries.alert_news):
        store.write(records.note_told, each.rule, [each.n], NOW)


def test_a_new_group_of_errors_is_told_of_once(store: Store) -> None:
    fail(store, "no")
    (alert,) = news(store, AlertRule.NEW_ERROR)
    assert alert.subject.startswith("ValueError in jobs.add (")
    assert alert.path.startswith("/errors/")
    assert "no" not in {alert.subject, alert.text}
    fail(store, "no")
    assert news(store, AlertRule.NEW_ERROR) == [alert]
    fail(store, "another way to fail")
    assert len(news(store, AlertRule.NEW_ERROR)) == 2


def test_a_group_that_returns_after_a_fix_is_told_of_until_somebody_decides(store: Store) -> None:
    fail(store, "no")
    (group,) = queries_groups(store)
    store.write(records.change_error_group, group, GroupChange.FIX, NOW + 1)
    fail(store, "no", NOW + 2)
    fail(store, "no", NOW + 3)
    (alert,) = news(store, AlertRule.RETURNED_ERROR)
    assert (alert.count, alert.over_at) == (1, None)
    store.write(records.change_error_group, group, GroupChange.MUTE, NOW + 4)
    (alert,) = news(store, AlertRule.RETURNED_ERROR)
    assert alert.over_at == NOW + 4


def queries_groups(store: Store) -> list[str]:
    return [alert.path.rpartition("/")[2] for alert in news(store, AlertRule.NEW_ERROR)]


def incident(number: int, function: str | None = "jobs.die") -> StoredIncident:
    culprit = TaskName("task", function) if function else None
    return StoredIncident(
        id=f"i{number}",
        pool="cpu",
        worker=f"cpu-{number}",
        pid=1,
        detected_at=NOW + number,
        cause="killed by SIGSEGV",
        signal=11,
        culprit=culprit,
    )


def test_deaths_of_workers_are_counted_by_their_culprit(store: Store) -> None:
    for number in range(5):
        store.write(records.save_incident, incident(number))
        store.write(records.save_incident, incident(number))  # what more is known of it
    store.write(records.save_incident, incident(9, None))
    first, unknown = news(store, AlertRule.WORKER_DIED)
    assert (first.subject, first.count, first.path) == ("jobs.die in pool cpu", 5, "/incidents/i4")
    assert "killed by SIGSEGV while it ran jobs.die" in first.text
    assert unknown.subject == "pool cpu, culprit unknown"


def test_a_hold_begins_and_is_over_in_its_own_commits(store: Store) -> None:
    store.write(records.save_hold, Hold("jobs.die", NOW, 5, "5 workers died"))
    (alert,) = news(store, AlertRule.FUNCTION_ON_HOLD)
    assert (alert.subject, alert.text, alert.over_at) == ("jobs.die", "5 workers died", None)
    tell_all(store)
    assert store.read(queries.alert_news) == []
    store.write(records.lift_hold, "jobs.die", NOW + 5)
    (alert,) = news(store, AlertRule.FUNCTION_ON_HOLD)
    assert alert.is_newly_over
    assert not alert.has_news
    tell_all(store)
    assert store.read(queries.alert_news) == []


def test_a_stop_that_cost_tasks_is_told_of_at_the_next_start(store: Store) -> None:
    store.write(records.begin_run, ServerRun("b1", 1, NOW))
    store.write(records.save_report, "b1", StartReport(was_clean=True, down_seconds=1.0))
    assert news(store, AlertRule.LOSSY_STOP) == []
    cut_off = (CutOffTask("a", "jobs.add", State.LOST),)
    report = StartReport(was_clean=False, down_seconds=1.0, lost=1, cut_off=cut_off)
    assert CutOff.of(cut_off).number == 1
    store.write(records.save_report, "b1", report)
    (alert,) = news(store, AlertRule.LOSSY_STOP)
    assert "1 lost" in alert.text


def test_a_rule_that_is_off_keeps_nothing_and_forgets_what_it_had(store: Store) -> None:
    fail(store, "no")
    store.write(records.save_rule, StoredRule(AlertRule.NEW_ERROR, is_on=False))
    fail(store, "another way to fail")
    assert store.read(queries.alert_news) == []


def test_a_storm_of_subjects_is_kept_in_few_rows(store: Store) -> None:
    for start in range(0, 1000, 40):
        numbers = range(start, start + 40)
        facts = [AlertFact(AlertRule.WORKER_DIED, f"function {n}", NOW) for n in numbers]
        store.write(records.raise_alerts, facts)
    crowd = [AlertFact(AlertRule.ADVICE, f"function {n}", NOW) for n in range(1000)]
    store.write(records.raise_alerts, crowd)
    assert len(news(store, AlertRule.ADVICE)) == 51
    assert sum(each.count for each in news(store, AlertRule.ADVICE)) == 1000
    kept = news(store, AlertRule.WORKER_DIED)
    assert len(kept) == MAX_SUBJECTS + 1
    assert sum(each.count for each in kept) == 1000
    assert kept[-1].subject == OTHERS


def test_what_was_told_is_forgotten_after_a_day_but_not_what_goes_on(store: Store) -> None:
    store.write(
        records.raise_alerts,
        [
            AlertFact(AlertRule.WORKER_DIED, "x", NOW),
            AlertFact(AlertRule.POOL_BROKEN, "pool cpu", NOW),
            AlertFact(AlertRule.POOL_BROKEN, "pool io", NOW),
        ],
    )
    store.write(records.end_alert, AlertRule.POOL_BROKEN, "pool io", NOW)
    assert store.write(records.forget_alerts, NOW + 25 * HOUR) == 0
    tell_all(store)
    assert store.write(records.forget_alerts, NOW + 23 * HOUR) == 0
    assert store.write(records.forget_alerts, NOW + 25 * HOUR) == 2
    (left,) = store.read(queries.open_alerts, tuple(AlertRule))
    assert left.subject == "pool cpu"


def destination(store: Store, name: str = "ops") -> int:
    new = NewDestination(name, DestinationKind.WEBHOOK, "https://example.com/", ())
    number = store.write(records.add_destination, new, NOW)
    assert number is not None
    return number


def test_deliveries_that_wait_and_that_have_ended_are_bounded(store: Store) -> None:
    to, other = destination(store), destination(store, "other")
    store.write(records.add_delivery, NewDelivery(other, "m", "alert.test", "{}"), NOW)
    for number in range(MAX_WAITING + 20):
        new = NewDelivery(to, f"m{number}", "alert.test", "{}")
        store.write(records.add_delivery, new, NOW)
    found = store.read(queries.alert_deliveries, 2000)
    waiting = [each for each in found if each.state is DeliveryState.WAITING]
    assert len(waiting) == MAX_WAITING + 1
    assert {each.message for each in waiting} >= {"m", f"m{MAX_WAITING + 19}"}
    columns = ("message", "destination", "type", "state", "tries", "created_at", "payload")
    row = dict(zip(columns, ("n", to, "alert.test", "delivered", 1, NOW, "{}"), strict=True))
    with store.database.transaction() as transaction:
        transaction.connection.execute(insert(deliveries), [row] * (MAX_KEPT + 50))
    store.write(records.add_delivery, NewDelivery(to, "last", "alert.test", "{}"), NOW)
    found = store.read(queries.alert_deliveries, 5000)
    waiting = [each for each in found if each.state is DeliveryState.WAITING]
    assert (len(found) - len(waiting), len(waiting)) == (MAX_KEPT, MAX_WAITING + 1)


def test_a_destination_goes_with_what_waits_for_it(store: Store) -> None:
    to = destination(store)
    assert (
        store.write(
            records.add_destination,
            NewDestination("ops", DestinationKind.WEBHOOK, "https://example.org/", ()),
            NOW,
        )
        is None
    )
    store.write(records.add_delivery, NewDelivery(to, "m", "alert.test", "{}"), NOW)
    assert store.write(records.remove_destination, to)
    assert not store.write(records.remove_destination, to)
    assert store.read(queries.alert_deliveries, 10) == []
