"""From the outbox to receivers of every temper, by a clock that the test moves."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import update

from pooldeck_server.domain.actions import ActionFilter, ActorKind, Deed
from pooldeck_server.domain.alerts.deliveries import (
    DeliveryState,
    DestinationKind,
    SigningSecret,
    StoredDelivery,
)
from pooldeck_server.domain.alerts.rules import AlertFact, AlertRule
from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.errors import Conflict, InvalidRequest, NotFound
from pooldeck_server.runtime.alerts.alerts import Alerts
from pooldeck_server.runtime.alerts.outbox import Outbox
from pooldeck_server.runtime.alerts.rules import AlertRules
from pooldeck_server.runtime.alerts.sender import AlertSender
from pooldeck_server.runtime.alerts.webhooks import Webhooks
from pooldeck_server.settings import AlertSettings
from pooldeck_server.store import queries, records
from pooldeck_server.store.tables import destinations
from tests.pooldeck_server.runtime.recording.test_recorder import recorder
from tests.support.receiver import Received, Receiver, receiving
from tests.support.stored import make

LOOPBACK = AlertSettings(allowed_networks=(ip_network("127.0.0.0/8"),), quiet_seconds=300)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@dataclass
class Told:
    """Alerts with a recorder and a clock, but without the parts that look by themselves."""

    alerts: Alerts
    clock: ManualClock

    async def add(self, receiver: Receiver, name: str = "ops") -> tuple[int, str]:
        webhook = DestinationKind.WEBHOOK
        destination, secret = await self.alerts.add(name, webhook, receiver.url)
        assert secret is not None
        return destination.id, secret

    async def happen(self, rule: AlertRule, subject: str = "x", number: int = 1) -> None:
        fact = AlertFact(rule, subject, self.clock.now(), "why", "/pools", number)
        await self.alerts.recorder.perform(lambda tx: records.raise_alerts(tx, [fact]))

    async def end(self, rule: AlertRule, subject: str = "x") -> None:
        now = self.clock.now()
        await self.alerts.recorder.perform(lambda tx: records.end_alert(tx, rule, subject, now))

    async def pass_by(self, seconds: float = 0.0) -> None:
        """Let time pass, and what is due be sent and answered."""
        self.clock.advance(seconds)
        await self.alerts.sender.step()
        await self.alerts.sender.finish()

    async def only(self) -> StoredDelivery:
        (delivery,) = await self.alerts.deliveries(10)
        return delivery


@asynccontextmanager
async def telling(
    folder: Path, settings: AlertSettings = LOOPBACK, seconds: float = 30.0
) -> AsyncIterator[Told]:
    clock = ManualClock()
    make(folder / "pooldeck.sqlite3")
    async with recorder(folder) as kept:
        parts = {"recorder": kept.recorder, "reader": kept.reader, "clock": clock}
        webhooks = Webhooks(settings, seconds)
        outbox = Outbox(settings=settings, **parts)  # type: ignore[arg-type]
        sender = AlertSender(
            outbox=outbox,
            webhooks=webhooks,
            chance=lambda: 0.5,
            **parts,  # type: ignore[arg-type]
        )
        rules = AlertRules(recorder=kept.recorder, clock=clock, kept=())
        alerts = Alerts(
            rules=rules,
            outbox=outbox,
            sender=sender,
            webhooks=webhooks,
            **parts,  # type: ignore[arg-type]
        )
        yield Told(alerts, clock)


def subjects(received: Received) -> list[tuple[str, str, int]]:
    return [(each["subject"], each["state"], each["count"]) for each in received.data["alerts"]]


async def test_a_message_is_signed_as_the_standard_says(tmp_path: Path, receiver: Receiver) -> None:
    async with telling(tmp_path) as told:
        _, secret = await told.add(receiver)
        await told.happen(AlertRule.WORKER_DIED, "jobs.die in pool cpu")
        await told.pass_by()
        (got,) = receiver.got
        assert got.is_signed_by(secret)
        assert not got.is_signed_by("whsec_" + "A" * 44)
        assert got.headers["webhook-timestamp"] == str(told.clock.now() // 1_000_000)
        assert got.headers["host"] == f"127.0.0.1:{receiver.port}"
        assert got.data["rule"] == "worker_died"
        assert subjects(got) == [("jobs.die in pool cpu", "happened", 1)]
        assert len(got.body) < 20_000
        assert (await told.only()).state is DeliveryState.DELIVERED


async def test_an_old_secret_signs_beside_the_new_one_for_a_day(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with telling(tmp_path) as told:
        number, old = await told.add(receiver)
        new = await told.alerts.rotate(number)
        for hours in (0, 23, 2):
            told.clock.advance(hours * 3600)
            await told.alerts.test(number)
            await told.pass_by()
        first, second, third = receiver.got
        assert first.is_signed_by(old)
        assert first.is_signed_by(new)
        assert second.is_signed_by(old)
        assert third.is_signed_by(new)
        assert not third.is_signed_by(old)


async def test_a_receiver_that_fails_is_tried_again_with_the_same_id_until_it_takes_it(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with telling(tmp_path) as told:
        await told.add(receiver)
        receiver.status, receiver.body = 500, b"out of order\x1b[31m"
        await told.happen(AlertRule.WORKER_DIED)
        await told.pass_by()
        await told.pass_by(4)
        assert len(receiver.got) == 1
        await told.pass_by(2)
        waiting = await told.only()
        assert (waiting.tries, waiting.status, waiting.state) == (2, 500, DeliveryState.WAITING)
        receiver.status = 200
        await told.pass_by(299)
        await told.pass_by(2)
        assert (await told.only()).state is DeliveryState.DELIVERED
        assert [got.id for got in receiver.got] == [receiver.got[0].id] * 3
        assert len({got.body for got in receiver.got}) == 1


async def test_a_receiver_that_never_takes_it_is_given_up_after_days(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with telling(tmp_path) as told:
        await told.add(receiver)
        receiver.status = 503
        await told.happen(AlertRule.WORKER_DIED)
        for _ in range(12):
            await told.pass_by(86_400)
        given_up = await told.only()
        assert (given_up.tries, given_up.state) == (10, DeliveryState.GIVEN_UP)
        receiver.status = 200
        await told.alerts.again(given_up.id)
        await told.pass_by()
        assert (await told.only()).state is DeliveryState.DELIVERED
        assert receiver.got[-1].id == receiver.got[0].id


async def test_a_redirect_is_a_failure_and_is_not_followed(
    tmp_path: Path, receiver: Receiver
) -> None:
    with receiving() as elsewhere:
        async with telling(tmp_path) as told:
            await told.add(receiver)
            receiver.status, receiver.headers = 307, {"location": elsewhere.url}
            await told.happen(AlertRule.WORKER_DIED)
            await told.pass_by()
            waiting = await told.only()
        assert (waiting.state, waiting.status) == (DeliveryState.WAITING, 307)
        assert elsewhere.got == []


async def test_a_receiver_that_is_gone_is_turned_off(tmp_path: Path, receiver: Receiver) -> None:
    async with telling(tmp_path) as told:
        number, _ = await told.add(receiver)
        receiver.status = 410
        await told.alerts.test(number)
        await told.pass_by()
        off = await told.alerts.destination(number)
        assert not off.is_on
        assert "410" in (off.trouble or "")
        assert (await told.only()).state is DeliveryState.GIVEN_UP
        await told.happen(AlertRule.WORKER_DIED)
        await told.pass_by(86_400)
        assert len(receiver.got) == 1
        with pytest.raises(Conflict):
            await told.alerts.test(number)
        with pytest.raises(Conflict, match="off"):
            await told.alerts.again((await told.only()).id)


async def test_who_tests_and_who_sends_again_is_written_down_and_that_the_server_turns_one_off(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with telling(tmp_path) as told:
        number, _ = await told.add(receiver)
        delivery = await told.alerts.test(number)
        await told.pass_by()
        receiver.status = 410
        await told.alerts.again(delivery)
        await told.pass_by()
        found = await told.alerts.reader.run(queries.actions, ActionFilter(target="ops"), 10)
        off, again, test, _ = found.items
        assert test.deed is Deed.TEST_DESTINATION
        assert (again.deed, again.after) == (Deed.RETRY_DELIVERY, {"delivery": delivery})
        assert (off.deed, off.actor, off.actor_kind) == (
            Deed.TURN_DESTINATION,
            "alerts",
            ActorKind.SERVER,
        )
        assert (off.after, "410" in (off.reason or "")) == ({"is_on": False}, True)


async def test_a_receiver_that_asks_for_time_is_left_alone_so_long(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with telling(tmp_path) as told:
        await told.add(receiver)
        receiver.status, receiver.headers = 429, {"retry-after": "3600"}
        await told.happen(AlertRule.WORKER_DIED)
        await told.pass_by()
        await told.pass_by(3599)
        assert len(receiver.got) == 1
        await told.pass_by(1)
        assert len(receiver.got) == 2


@pytest.mark.parametrize(
    ("asked", "pause"),
    [
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999", 5),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 5),
        ("-7", 5),
        ("soon", 5),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400),
        ("9" * 300, 86_400),
    ],
)
async def test_a_receiver_that_asks_for_nonsense_is_tried_again_after_a_pause(
    tmp_path: Path, receiver: Receiver, asked: str, pause: int
) -> None:
    async with telling(tmp_path) as told:
        await told.add(receiver)
        receiver.status, receiver.headers = 500, {"retry-after": asked}
        await told.happen(AlertRule.WORKER_DIED)
        await told.pass_by()
        for _ in range(3):
            await told.pass_by()
        assert len(receiver.got) == 1
        waiting = await told.only()
        assert (waiting.tries, waiting.status) == (1, 500)
        assert waiting.next_at == told.clock.now() + pause * 1_000_000


async def test_a_message_that_cannot_even_be_sent_is_a_failed_try_and_not_tried_without_end(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with telling(tmp_path) as told:
        number, _ = await told.add(receiver)
        delivery = await told.alerts.test(number)
        spoilt = SigningSecret("whsec_this is no base64")
        await told.alerts.recorder.perform(
            lambda tx: tx.connection.execute(
                update(destinations).values(secrets=msgspec.json.encode([spoilt]).decode())
            )
        )
        for _ in range(3):
            await told.pass_by()
        waiting = await told.only()
        assert (waiting.id, waiting.tries, waiting.state) == (delivery, 1, DeliveryState.WAITING)
        assert "could not send it" in (waiting.answer or "")
        assert waiting.next_at == told.clock.now() + 5_000_000


async def test_a_receiver_that_hangs_costs_the_others_nothing_and_is_tried_again(
    tmp_path: Path, receiver: Receiver
) -> None:
    go_on = threading.Event()

    def hang() -> None:
        go_on.wait(60)

    with receiving() as hanging:
        hanging.before = hang
        async with telling(tmp_path, seconds=0.5) as told:
            await told.add(hanging, "hangs")
            await told.add(receiver, "works")
            await told.happen(AlertRule.WORKER_DIED)
            await told.pass_by()
            states = {each.name: each for each in await told.alerts.deliveries(10)}
            go_on.set()
        assert states["hangs"].state is DeliveryState.WAITING
        assert "no answer within" in (states["hangs"].answer or "")
        assert states["works"].tries == 1
        assert states["works"].message == states["hangs"].message


async def test_of_an_endless_answer_little_is_read(tmp_path: Path, receiver: Receiver) -> None:
    async with telling(tmp_path) as told:
        await told.add(receiver)
        receiver.status, receiver.body = 500, b"x" * 5_000_000
        await told.happen(AlertRule.WORKER_DIED)
        await told.pass_by()
        assert len((await told.only()).answer or "") < 300


async def test_what_happens_while_a_rule_is_quiet_is_told_together(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with telling(tmp_path) as told:
        await told.add(receiver)
        await told.happen(AlertRule.WORKER_DIED, "a")
        await told.pass_by()
        for _ in range(50):
            await told.happen(AlertRule.WORKER_DIED, "a")
        await told.happen(AlertRule.WORKER_DIED, "b")
        await told.pass_by(299)
        assert len(receiver.got) == 1
        await told.happen(AlertRule.LOSSY_STOP, "another rule is not quiet")
        await told.pass_by()
        assert len(receiver.got) == 2
        await told.pass_by(2)
        assert subjects(receiver.got[2]) == [("a", "happened", 50), ("b", "happened", 1)]


async def test_that_it_is_over_is_told_at_once_and_flapping_is_not(
    tmp_path: Path, receiver: Receiver
) -> None:
    broken = AlertRule.POOL_BROKEN
    async with telling(tmp_path) as told:
        await told.add(receiver)
        await told.happen(broken, "pool cpu")
        await told.pass_by()
        await told.end(broken, "pool cpu")
        await told.pass_by(1)
        assert [subjects(got) for got in receiver.got] == [
            [("pool cpu", "begun", 1)],
            [("pool cpu", "over", 0)],
        ]
        for _ in range(20):
            await told.happen(broken, "pool cpu")
            await told.pass_by(1)
            await told.end(broken, "pool cpu")
            await told.pass_by(1)
        assert len(receiver.got) == 2
        await told.pass_by(300)
        assert subjects(receiver.got[2]) == [("pool cpu", "over", 20)]
        assert await told.alerts.standing() == []


async def test_a_storm_is_few_messages_of_bounded_size(tmp_path: Path, receiver: Receiver) -> None:
    async with telling(tmp_path) as told:
        await told.add(receiver)
        facts = [
            AlertFact(
                AlertRule.NEW_ERROR, f"{n} " + "\U0001f600" * 300, told.clock.now(), "é" * 900
            )
            for n in range(1000)
        ]
        await told.alerts.recorder.perform(lambda tx: records.raise_alerts(tx, facts))
        await told.pass_by()
        await told.pass_by(60)
        (got,) = receiver.got
        assert len(got.body) < 20_000
        assert got.data["more"] > 30
        assert sum(each["count"] for each in got.data["alerts"]) < 1000


async def test_a_rule_that_is_off_says_nothing(tmp_path: Path, receiver: Receiver) -> None:
    died = AlertRule.WORKER_DIED
    async with telling(tmp_path) as told:
        await told.add(receiver)
        await told.alerts.rules.change(died, is_on=False, threshold=None, quiet_seconds=0)
        await told.happen(died)
        await told.pass_by()
        assert receiver.got == []
        await told.alerts.rules.change(died, is_on=True, threshold=None, quiet_seconds=0)
        for _ in range(2):
            await told.happen(died)
            await told.pass_by()
        assert len(receiver.got) == 2
        with pytest.raises(InvalidRequest):
            await told.alerts.rules.change(died, is_on=True, threshold=1.0, quiet_seconds=0)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "2130706433", "0177.0.0.1", "0x7f.1", "127.1", "0.0.0.0", "0"),
        *("[::1]", "[::ffff:127.0.0.1]", "[::]", "[fc00::1]", "[64:ff9b::7f00:1]"),
        *("169.254.169.254", "10.0.0.1", "192.168.0.1", "localhost"),
    ],
)
async def test_an_address_within_the_network_is_refused_at_the_door_and_when_sending(
    tmp_path: Path, receiver: Receiver, host: str
) -> None:
    url = f"http://{host}:{receiver.port}/hook"
    async with telling(tmp_path, AlertSettings()) as told:
        with pytest.raises(InvalidRequest, match=r"not (a public|an) address"):
            await told.alerts.add("ops", DestinationKind.WEBHOOK, url)
        answer = await told.alerts.webhooks.send(url, {}, b"{}")
        assert not answer.is_delivered
    assert receiver.got == []


async def test_a_name_that_leads_elsewhere_by_the_time_of_sending_is_refused(
    tmp_path: Path, receiver: Receiver
) -> None:
    """A name is added while its network is listed, and sent to when it is not any more."""
    async with telling(tmp_path) as told:
        url = f"http://localhost:{receiver.port}/"
        await told.alerts.webhooks.check(url)
        answer = await Webhooks(AlertSettings()).send(url, {}, b"{}")
    assert "localhost leads to" in answer.words
    assert receiver.got == []


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://example.com/", "example.com", "https://", "http://a:b@127.0.0.1/", "http://[x/"),
        *("http://a..b/x", "http://./", f"http://{'a' * 64}.example.com/"),
        *("http://127.0.0.1:0/", "http://127.0.0.1:99999/", "https://127.0.0.1:65536/"),
    ],
)
async def test_what_is_no_address_of_a_webhook_is_refused(tmp_path: Path, url: str) -> None:
    async with telling(tmp_path) as told:
        with pytest.raises(InvalidRequest):
            await told.alerts.add("ops", DestinationKind.WEBHOOK, url)


@pytest.mark.parametrize("host", ["a..b", ".", "a" * 64])
async def test_what_is_no_name_of_a_host_is_not_delivered_and_says_so(host: str) -> None:
    answer = await Webhooks(LOOPBACK).send(f"http://{host}/x", {}, b"{}")
    assert not answer.is_delivered
    assert "is not the name of a host" in answer.words


async def test_nothing_is_sent_by_a_proxy_of_the_environment(
    tmp_path: Path, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        async with telling(tmp_path) as told:
            number, _ = await told.add(receiver)
            await told.alerts.test(number)
            await told.pass_by()
        assert (len(receiver.got), proxy.got) == (1, [])


async def test_names_are_taken_once_and_what_is_not_there_is_not_found(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with telling(tmp_path) as told:
        number, _ = await told.add(receiver)
        with pytest.raises(Conflict):
            await told.add(receiver)
        await told.alerts.remove(number)
        for call in (told.alerts.remove, told.alerts.test, told.alerts.rotate, told.alerts.again):
            with pytest.raises(NotFound):
                await call(number)


async def test_a_receiver_that_does_not_speak_tls_is_told_nothing(receiver: Receiver) -> None:
    url = f"https://127.0.0.1:{receiver.port}/"
    answer = await Webhooks(LOOPBACK).send(url, {}, b"{}")
    assert answer.words.startswith("no connection")
    assert receiver.got == []


async def test_a_destination_is_told_of_its_rules_only(tmp_path: Path, receiver: Receiver) -> None:
    with receiving() as all_of_them:
        async with telling(tmp_path) as told:
            number, _ = await told.add(receiver, "disk")
            await told.add(all_of_them, "all")
            await told.alerts.choose(number, [AlertRule.LOW_DISK, AlertRule.LOW_DISK])
            await told.happen(AlertRule.WORKER_DIED)
            await told.happen(AlertRule.LOW_DISK)
            await told.pass_by()
            await told.pass_by()
            assert [got.data["rule"] for got in receiver.got] == ["low_disk"]
            rules = {got.data["rule"] for got in all_of_them.got}
            assert rules == {"low_disk", "worker_died"}
            await told.alerts.choose(number, None)
            assert (await told.alerts.destination(number)).rules is None
            with pytest.raises(InvalidRequest, match="at least"):
                await told.alerts.choose(number, [])
            with pytest.raises(NotFound):
                await told.alerts.choose(999, None)


async def test_a_rule_that_only_another_version_knows_is_left_out(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with telling(tmp_path) as told:
        number, _ = await told.add(receiver)
        text = '["low_disk","of_another_version"]'
        await told.alerts.recorder.perform(
            lambda tx: tx.connection.execute(update(destinations).values(rules=text))
        )
        assert (await told.alerts.destination(number)).rules == (AlertRule.LOW_DISK,)


async def test_where_nothing_waits_the_store_is_read_again_only_after_a_commit(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with telling(tmp_path) as told:
        await told.add(receiver)
        reads = _counting(told.alerts.sender)
        await told.pass_by()
        first = len(reads)
        await told.pass_by(3600)
        assert len(reads) == first > 0
        await told.happen(AlertRule.WORKER_DIED)
        await told.pass_by()
        assert len(receiver.got) == 1
        assert len(reads) > first


def _counting(sender: AlertSender) -> list[object]:
    """Have a sender note each of its reads; return where."""

    class Noting:
        def __init__(self, reader: Any) -> None:
            self._reader = reader

        async def run(self, query: Any, *args: Any) -> Any:
            reads.append(query)
            return await self._reader.run(query, *args)

    reads: list[object] = []
    noting: Any = Noting(sender.reader)
    sender.reader = sender.outbox.reader = noting
    return reads
