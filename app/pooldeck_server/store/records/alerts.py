"""Alerts: raised in the commit of what they tell of, told by messages that wait to be delivered.

However much happens, little is kept: facts of one subject are one row, of further subjects one row
for all of them.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from msgspec.structs import asdict, replace
from sqlalchemy import and_, case, delete, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from pooldeck_server.domain.alerts.rules import RULES, AlertFact, AlertRule, StoredRule
from pooldeck_server.domain.clock import HOUR
from pooldeck_server.store.tables import alert_rules, alerts
from pooldeck_server.store.transaction import Transaction

MAX_SUBJECTS: Final = 200
"""Subjects of one rule that are kept apart."""

OTHERS: Final = "…"
"""The subject of facts beyond that."""

_FORGOTTEN_AFTER: Final = 24 * HOUR  # that nothing happened, and nothing is left to tell
_AT_ONCE: Final = 50  # subjects of one commit that are kept apart
_MAX_TEXT: Final = 300  # characters

_new = insert(alerts)
_was_over = alerts.c.over_at.is_not(None)
_raise = _new.on_conflict_do_update(
    index_elements=[alerts.c.rule, alerts.c.subject],
    set_={
        "begun_at": case((_was_over, _new.excluded.begun_at), else_=alerts.c.begun_at),
        "last_at": _new.excluded.last_at,
        "count": alerts.c["count"] + _new.excluded["count"],
        "over_at": None,
        "told_over": 0,
        "text": _new.excluded.text,
        "path": _new.excluded.path,
    },
)


def raise_alerts(transaction: Transaction, facts: Iterable[AlertFact]) -> None:
    """Note facts that rules speak of, unless their rule is off."""
    for rule, by_subject in _merged(facts).items():
        if not _is_off(transaction, rule):
            known, room = _subjects(transaction, rule, by_subject)
            for subject, fact in by_subject.items():
                is_new = subject not in known
                kept = OTHERS if is_new and room <= 0 else subject
                room -= is_new
                transaction.connection.execute(_raise, _row(fact, kept))


def _merged(facts: Iterable[AlertFact]) -> dict[AlertRule, dict[str, AlertFact]]:
    """Return the facts of each rule, one for each subject; beyond some, one for all others."""
    merged: defaultdict[AlertRule, dict[str, AlertFact]] = defaultdict(dict)
    for fact in facts:
        its = merged[fact.rule]
        is_few = len(its) < _AT_ONCE
        subject = fact.subject if fact.subject in its or is_few else OTHERS
        before = its.get(subject)
        its[subject] = replace(fact, number=fact.number + (before.number if before else 0))
    return merged


def _is_off(transaction: Transaction, rule: AlertRule) -> bool:
    found = select(alert_rules.c.is_on).where(alert_rules.c.rule == rule)
    return transaction.connection.execute(found).scalar() == 0


def _subjects(
    transaction: Transaction, rule: AlertRule, wanted: Collection[str]
) -> tuple[set[str], int]:
    """Return which of these subjects are kept already, and for how many more there is room."""
    of_rule = alerts.c.rule == rule
    number = select(func.count()).where(of_rule)
    known = select(alerts.c.subject).where(of_rule, alerts.c.subject.in_(list(wanted)))
    kept = transaction.connection.execute(number).scalar_one()
    return {*transaction.connection.execute(known).scalars(), OTHERS}, MAX_SUBJECTS - kept


def _row(fact: AlertFact, subject: str) -> dict[str, Any]:
    return {
        "rule": fact.rule,
        "subject": subject,
        "begun_at": fact.at,
        "last_at": fact.at,
        "count": fact.number,
        "told": 0,
        "told_over": 0,
        "text": fact.text[:_MAX_TEXT],
        "path": fact.path,
    }


def end_alert(transaction: Transaction, rule: AlertRule, subject: str, now: int) -> None:
    """Note that what a rule spoke of is over."""
    transaction.connection.execute(
        update(alerts)
        .where(alerts.c.rule == rule, alerts.c.subject == subject, alerts.c.over_at.is_(None))
        .values(over_at=now)
    )


def save_rule(transaction: Transaction, rule: StoredRule) -> None:
    """Keep how a rule is set; one that is off forgets what it had not told yet."""
    row = insert(alert_rules).values(asdict(rule))
    changed = {name: row.excluded[name] for name in ("is_on", "threshold", "quiet_seconds")}
    transaction.connection.execute(
        row.on_conflict_do_update(index_elements=[alert_rules.c.rule], set_=changed)
    )
    if not rule.is_on:
        transaction.connection.execute(delete(alerts).where(alerts.c.rule == rule.rule))


def note_told(
    transaction: Transaction, rule: AlertRule, told: Sequence[int], now: int | None
) -> None:
    """Note that a message tells all that is new of the alerts numbered `told`.

    `now` is when, for a rule that is quiet from then on; None where it is not.
    """
    transaction.connection.execute(
        update(alerts)
        .where(alerts.c.n.in_(told))
        .values(
            told=alerts.c["count"],
            told_over=case((_was_over, 1), else_=0),
        )
    )
    if now is not None:
        row = insert(alert_rules).values(rule=rule, is_on=1, told_at=now)
        transaction.connection.execute(
            row.on_conflict_do_update(
                index_elements=[alert_rules.c.rule], set_={"told_at": row.excluded.told_at}
            )
        )


def forget_alerts(transaction: Transaction, now: int) -> int:
    """Forget alerts of which nothing is left to tell for a day; return how many."""
    standing = [rule.value for rule, kind in RULES.items() if kind.is_standing]
    is_told = alerts.c.told == alerts.c["count"]
    is_done = or_(and_(_was_over, alerts.c.told_over == 1), alerts.c.rule.not_in(standing))
    old = alerts.c.last_at < now - _FORGOTTEN_AFTER
    gone = transaction.connection.execute(delete(alerts).where(is_told, is_done, old))
    return gone.rowcount
