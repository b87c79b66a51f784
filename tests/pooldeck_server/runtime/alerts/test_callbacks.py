"""Ends on their way to receivers of every temper, by a clock that the test moves."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import pytest
from sqlalchemy import delete

from pooldeck_server.domain.alerts import callbacks as bounds
from pooldeck_server.domain.alerts.callbacks import Signing, StoredCallback
from pooldeck_server.domain.alerts.deliveries import DeliveryState
from pooldeck_server.domain.alerts.outbox import OutboxState
from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.notices import Need
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import NewTask
from pooldeck_server.runtime.alerts.callback_sender import CallbackSender
from pooldeck_server.runtime.alerts.callbacks import Callbacks
from pooldeck_server.runtime.alerts.outbox_watch import OutboxWatch
from pooldeck_server.runtime.alerts.webhooks import Webhooks
from pooldeck_server.runtime.changes import LiveChanges
from pooldeck_server.runtime.live.notices import of_outbox
from pooldeck_server.settings import AlertSettings
from pooldeck_server.store import records
from pooldeck_server.store.tables import tasks
from tests.pooldeck_server.runtime.recording.test_recorder import recorder
from tests.support.receiver import Receiver, receiving
from tests.support.stored import make

LOOPBACK = AlertSettings(allowed_networks=(ip_network("127.0.0.0/8"),))
HOUR = 3600.0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


@dataclass
class Told:
    """Callbacks with a recorder and a clock, but without the part that looks by itself."""

    callbacks: Callbacks
    clock: ManualClock
    last: int = 0

    async def end(self, *urls: str) -> None:
        """Store a task for each address, and cancel them in one commit."""
        stored = [self._new(url) for url in urls]
        await self.callbacks.recorder.insert(stored)
        seqs, now = [task.seq for task in stored], self.clock.now()
        await self.callbacks.recorder.perform(lambda tx: records.cancel(tx, seqs, now))

    def _new(self, url: str) -> NewTask:
        self.last += 1
        now = self.clock.now()
        named = (self.last, f"task-{self.last}", "f", "cpu", 0, now, "[]", "{}")
        return NewTask(*named, state=State.QUEUED, callback=url)

    async def pass_by(self, seconds: float = 0.0) -> None:
        """Let time pass, and what is due be told and answered."""
        self.clock.advance(seconds)
        await self.callbacks.sender.step()
        await self.callbacks.sender.finish()

    def watch(self) -> OutboxWatch:
        recorder, reader = self.callbacks.recorder, self.callbacks.reader
        return OutboxWatch(recorder=recorder, reader=reader, changes=LiveChanges())

    async def all(self) -> list[StoredCallback]:
        return await self.callbacks.deliveries(1000)

    async def only(self) -> StoredCallback:
        (delivery,) = await self.all()
        return delivery


@asynccontextmanager
async def telling(folder: Path, settings: AlertSettings = LOOPBACK) -> AsyncIterator[Told]:
    clock = ManualClock()
    make(folder / "pooldeck.sqlite3")
    async with recorder(folder) as kept:
        webhooks = Webhooks(settings)
        sender = CallbackSender(
            settings=settings,
            webhooks=webhooks,
            recorder=kept.recorder,
            reader=kept.reader,
            clock=clock,
            signing=Signing(),
            chance=lambda: 0.5,
        )
        callbacks = Callbacks(
            settings=settings,
            sender=sender,
            webhooks=webhooks,
            recorder=kept.recorder,
            reader=kept.reader,
            clock=clock,
        )
        yield Told(callbacks, clock)


async def test_an_old_secret_signs_beside_the_new_one_for_a_day(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with telling(tmp_path) as told:
        old = await told.callbacks.rotate()
        new = await told.callbacks.rotate()
        for hours in (0, 25):
            told.clock.advance(hours * HOUR)
            await told.end(receiver.url)
            await told.pass_by()
        first, second = receiver.got
        assert first.is_signed_by(old)
        assert first.is_signed_by(new)
        assert second.is_signed_by(new)
        assert not second.is_signed_by(old)


async def test_an_end_is_told_although_its_task_was_deleted_meanwhile(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with telling(tmp_path) as told:
        await told.callbacks.rotate()
        await told.end(receiver.url)
        await told.callbacks.recorder.perform(lambda tx: tx.connection.execute(delete(tasks)))
        await told.pass_by()
        assert receiver.got[0].data["id"] == "task-1"


async def test_it_is_tried_for_days_and_then_given_up(tmp_path: Path, receiver: Receiver) -> None:
    receiver.status = 503
    async with telling(tmp_path) as told:
        await told.callbacks.rotate()
        await told.end(receiver.url)
        for _ in range(9):
            await told.pass_by()
            assert (await told.only()).state is DeliveryState.WAITING
            told.clock.advance(25 * HOUR)
        await told.pass_by()
        assert (await told.only()).state is DeliveryState.GIVEN_UP
        assert len(receiver.got) == 10
        assert len({got.id for got in receiver.got}) == 1


async def test_an_answer_of_410_ends_that_one_and_no_other(
    tmp_path: Path, receiver: Receiver
) -> None:
    receiver.status = 410
    async with telling(tmp_path) as told:
        await told.callbacks.rotate()
        await told.end(receiver.url)
        await told.pass_by()
        assert (await told.only()).state is DeliveryState.GIVEN_UP
        receiver.status = 204
        await told.end(receiver.url)
        await told.pass_by()
        assert {each.state for each in await told.all()} == {
            DeliveryState.GIVEN_UP,
            DeliveryState.DELIVERED,
        }


async def test_a_redirect_is_not_followed(tmp_path: Path, receiver: Receiver) -> None:
    receiver.status, receiver.headers = 307, {"location": receiver.url}
    async with telling(tmp_path) as told:
        await told.callbacks.rotate()
        await told.end(receiver.url)
        await told.pass_by()
        assert len(receiver.got) == 1
        assert "redirect" in ((await told.only()).answer or "")


async def test_an_end_by_a_clock_that_was_ahead_is_told_when_it_is_back(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with telling(tmp_path) as told:
        await told.callbacks.rotate()
        told.clock.wall += 10**12
        await told.end(receiver.url)
        told.clock.wall -= 10**12
        await told.pass_by()
        assert len(receiver.got) == 1


async def test_a_host_that_does_not_answer_holds_up_no_other(
    tmp_path: Path, receiver: Receiver
) -> None:
    with receiving() as gone:
        dead = gone.url
    async with telling(tmp_path) as told:
        await told.callbacks.rotate()
        await told.end(*[dead] * 100, receiver.url)
        await told.pass_by()
        assert len(receiver.got) == 1
        tries = sum(each.tries for each in await told.all() if each.url == dead)
        await told.pass_by(1)  # it is left alone for some seconds
        assert sum(each.tries for each in await told.all() if each.url == dead) == tries
        await told.pass_by(60)
        assert sum(each.tries for each in await told.all() if each.url == dead) > tries


async def test_hosts_take_turns_however_many_wait_for_each(tmp_path: Path) -> None:
    async with telling(tmp_path) as told:
        await told.callbacks.rotate()
        dead = [f"http://127.0.0.1:{port}/" for port in range(1, 60)]  # nothing listens there
        await told.end(*(url for url in dead for _ in range(12)))
        for _ in range(60):
            await told.pass_by(1)
        assert {each.url for each in await told.all() if each.tries} == set(dead)


async def test_an_address_that_has_become_private_is_not_called(
    tmp_path: Path, receiver: Receiver
) -> None:
    async with telling(tmp_path, AlertSettings()) as told:
        await told.callbacks.rotate()
        await told.end(receiver.url)
        await told.pass_by()
        assert receiver.got == []
        assert "allowed_networks" in ((await told.only()).answer or "")
        with pytest.raises(InvalidRequest, match="allowed_networks"):
            await told.callbacks.admit(receiver.url)


async def test_the_oldest_of_a_host_make_room_and_others_stay(tmp_path: Path) -> None:
    async with telling(tmp_path) as told:
        most = bounds.MAX_WAITING_FOR_HOST
        await told.end("https://other.test/")
        for _ in range(11):
            await told.end(*["https://dead.test/"] * (most // 10))
        await told.watch().step()
        found = await told.callbacks.deliveries(most * 2)
        given_up = [each for each in found if each.state is DeliveryState.GIVEN_UP]
        assert len(given_up) == bounds.MAX_KEPT
        assert {each.url for each in given_up} == {"https://dead.test/"}
        assert max(each.id for each in given_up) < min(
            each.id
            for each in found
            if each.state is DeliveryState.WAITING and each.url == "https://dead.test/"
        )
        waiting = [each for each in found if each.state is DeliveryState.WAITING]
        assert len(waiting) == most + 1


def test_hosts_are_judged_by_their_whole_names() -> None:
    settings = AlertSettings(callback_hosts=("hooks.example.com", ".inside.test"))
    for host in ("hooks.example.com", "hooks.example.com:8443", "a.inside.test"):
        settings.check_callback_host(host)
    for host in (
        "example.com",
        "evil-hooks.example.com",
        "inside.test",
        "inside.test.evil",
        "[::1]",
    ):
        with pytest.raises(InvalidRequest, match="callback_hosts"):
            settings.check_callback_host(host)


async def test_what_waits_is_known_and_said_after_hours(tmp_path: Path, receiver: Receiver) -> None:
    receiver.status = 500
    async with telling(tmp_path) as told:
        await told.callbacks.rotate()
        watch = told.watch()
        await told.end(receiver.url, receiver.url)
        await told.pass_by()
        await watch.step()
        assert (watch.state.callbacks.number, watch.state.alerts.number) == (2, 0)
        assert list(of_outbox(watch.state, told.clock.now())) == []
        told.clock.advance(3 * HOUR)
        (notice,) = of_outbox(watch.state, told.clock.now())
        assert (notice.need, notice.number) == (Need.UNTOLD, 2)
        await told.callbacks.turn(is_on=False)  # somebody wants it so
        await watch.step()
        assert list(of_outbox(watch.state, told.clock.now())) == []


def test_what_the_server_turned_off_is_said() -> None:
    (notice,) = of_outbox(OutboxState(destinations=3, destinations_off=2, turned_off=1), 0)
    assert (notice.need, notice.number) == (Need.TURNED_OFF, 1)
