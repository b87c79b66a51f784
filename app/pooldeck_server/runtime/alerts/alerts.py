"""Alerts as admins see and set them: rules, destinations, deliveries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pooldeck_server.domain.actions import Deed
from pooldeck_server.domain.alerts.deliveries import (
    MAX_DESTINATIONS,
    MAX_NAME,
    OVERLAP,
    DestinationKind,
    NewDestination,
    SigningSecret,
    StoredDelivery,
    StoredDestination,
)
from pooldeck_server.domain.alerts.rules import RULES, AlertRule, StoredAlert
from pooldeck_server.domain.alerts.webhooks import new_secret
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import Conflict, InvalidRequest, NotFound
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.alerts.messages import test_message
from pooldeck_server.runtime.alerts.outbox import Outbox
from pooldeck_server.runtime.alerts.rules import AlertRules
from pooldeck_server.runtime.alerts.sender import AlertSender
from pooldeck_server.runtime.alerts.services import check_service
from pooldeck_server.runtime.alerts.webhooks import Webhooks
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.runtime.threads import in_thread
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader
from pooldeck_server.store.transaction import Transaction


@dataclass(kw_only=True, eq=False)
class Alerts:
    """What can be looked at and set; all of it is for admins."""

    rules: AlertRules
    outbox: Outbox
    sender: AlertSender
    webhooks: Webhooks
    recorder: Recorder
    reader: Reader
    clock: Clock

    async def standing(self) -> list[StoredAlert]:
        """Return what is not over, the latest first."""
        return await self.reader.run(queries.open_alerts, tuple(AlertRule))

    async def destinations(self) -> list[StoredDestination]:
        return await self.reader.run(queries.alert_destinations)

    async def destination(self, number: int) -> StoredDestination:
        """Return one destination.

        Raises:
            NotFound: If there is no such one.
        """
        found = [each for each in await self.destinations() if each.id == number]
        if not found:
            raise _no_destination(number)
        return found[0]

    async def add(
        self,
        name: str,
        kind: DestinationKind,
        url: str,
        rules: Sequence[AlertRule] | None = None,
    ) -> tuple[StoredDestination, str | None]:
        """Add a destination; return it and the secret that signs, which is told only here.

        It is told of `rules`, or of all (None).

        Raises:
            InvalidRequest: If name, address or rules cannot be taken.
            Conflict: If another has the name, or there are too many.
        """
        name = name.strip()
        if not 0 < len(name) <= MAX_NAME or not name.isprintable():
            raise InvalidRequest(f"name: expected 1 to {MAX_NAME} characters", field="/name")
        chosen = _chosen(rules)
        if len(await self.destinations()) >= MAX_DESTINATIONS:
            raise Conflict(f"there are {MAX_DESTINATIONS} destinations; delete one first")
        secret = None
        if kind is DestinationKind.WEBHOOK:
            await self.webhooks.check(url)
            secret = new_secret()
        else:
            await in_thread(lambda: check_service(url), "alert-service")
        secrets = (SigningSecret(secret),) if secret else ()
        new, now = NewDestination(name, kind, url, secrets, chosen), self.clock.now()
        action = acting.action(
            now, Deed.ADD_DESTINATION, "destination", name, after={"kind": str(kind)}
        )

        def write(transaction: Transaction) -> int | None:
            number = records.add_destination(transaction, new, now)
            if number is not None:
                records.act(transaction, action)
            return number

        number = await self.recorder.perform(write)
        if number is None:
            raise Conflict(f"name: another destination is called {name}", field="/name")
        return await self.destination(number), secret

    async def remove(self, number: int) -> None:
        """Forget a destination, with its deliveries; raises as `destination`."""
        await self._change(
            number,
            Deed.REMOVE_DESTINATION,
            lambda tx: records.remove_destination(tx, number),
        )

    async def turn(self, number: int, *, is_on: bool) -> None:
        """Turn a destination on or off: what waits for it waits on; raises as `destination`."""
        await self._change(
            number,
            Deed.TURN_DESTINATION,
            lambda tx: records.turn_destination(tx, number, is_on=is_on),
            after={"is_on": is_on},
        )
        self.sender.look_soon()

    async def choose(self, number: int, rules: Sequence[AlertRule] | None) -> None:
        """Tell a destination of some rules only, or of all (None).

        Raises:
            InvalidRequest: If they are none.
            NotFound: If there is no such destination.
        """
        chosen = _chosen(rules)
        await self._change(
            number,
            Deed.CHOOSE_ALERT_RULES,
            lambda tx: records.choose_rules(tx, number, chosen),
            after={"rules": None if chosen is None else list(chosen)},
        )

    async def rotate(self, number: int) -> str:
        """Give a webhook a new secret and return it; the one before signs too for a day.

        Raises:
            NotFound: If there is no such destination.
            Conflict: If it is none that is signed to.
        """
        destination = await self.destination(number)
        if destination.kind is not DestinationKind.WEBHOOK:
            raise Conflict(f"{destination.name} has no secret: only webhooks are signed")
        secret, now = new_secret(), self.clock.now()
        action = acting.action(now, Deed.ROTATE_SECRET, "destination", destination.name)

        def write(transaction: Transaction) -> None:
            records.rotate_secret(transaction, number, secret, now + OVERLAP, now)
            records.act(transaction, action)

        await self.recorder.perform(write)
        return secret

    async def _change(
        self,
        number: int,
        deed: Deed,
        change: Callable[[Transaction], bool],
        after: dict[str, Any] | None = None,
    ) -> None:
        """Change a destination, and write down who did; raises as `destination`."""
        name = (await self.destination(number)).name
        action = acting.action(self.clock.now(), deed, "destination", name, after=after)

        def write(transaction: Transaction) -> bool:
            is_there = change(transaction)
            if is_there:
                records.act(transaction, action)
            return is_there

        if not await self.recorder.perform(write):
            raise _no_destination(number)

    async def test(self, number: int) -> int:
        """Send a message that tells nothing; return its delivery's number.

        Raises:
            NotFound: If there is no such destination.
            Conflict: If it is off.
        """
        destination = await self.destination(number)
        if not destination.is_on:
            raise _is_off(destination.name)
        now = self.clock.now()
        action = acting.action(now, Deed.TEST_DESTINATION, "destination", destination.name)
        delivery = await self.outbox.send_test(number, test_message(now), action)
        self.sender.look_soon()
        return delivery

    async def deliveries(self, limit: int, before: int | None = None) -> list[StoredDelivery]:
        """Return up to `limit` deliveries, the latest first, of those numbered below `before`."""
        return await self.reader.run(queries.alert_deliveries, limit, before)

    async def again(self, number: int) -> None:
        """Try a delivery now, also one that has ended: its message keeps its id.

        Raises:
            NotFound: If there is no such one.
            Conflict: If its destination is off.
        """
        to = await self.reader.run(queries.destination_of_delivery, number)
        if to is None:
            raise _no_delivery(number)
        if not to.is_on:
            raise _is_off(to.name)
        now = self.clock.now()
        action = acting.action(
            now, Deed.RETRY_DELIVERY, "destination", to.name, after={"delivery": number}
        )

        def write(transaction: Transaction) -> bool:
            is_there = records.deliver_again(transaction, number, now)
            if is_there:
                records.act(transaction, action)
            return is_there

        if not await self.recorder.perform(write):
            raise _no_delivery(number)
        self.sender.look_soon()


def _chosen(rules: Sequence[AlertRule] | None) -> tuple[AlertRule, ...] | None:
    """Return rules in the order of the page, each once; None stands for all, later ones too."""
    if rules is None:
        return None
    if not rules:
        raise InvalidRequest(
            "rules: expected one at least; to tell it nothing, turn it off", field="/rules"
        )
    return tuple(rule for rule in RULES if rule in rules)


def _is_off(name: str) -> Conflict:
    return Conflict(f"{name} is off: turn it on first")


def _no_delivery(number: int) -> NotFound:
    return NotFound(f"there is no delivery {number}")


def _no_destination(number: int) -> NotFound:
    return NotFound(f"there is no destination {number}")
