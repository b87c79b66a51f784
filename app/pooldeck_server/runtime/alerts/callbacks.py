"""Callbacks: turned on by an admin, checked with each submission, seen and sent again by hand."""

from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from pooldeck_server.domain.actions import Deed
from pooldeck_server.domain.alerts.callbacks import Signing, StoredCallback, host_of
from pooldeck_server.domain.alerts.deliveries import OVERLAP, SigningSecret
from pooldeck_server.domain.alerts.webhooks import new_secret
from pooldeck_server.domain.clock import Clock
from pooldeck_server.domain.errors import Conflict, InvalidRequest, NotFound
from pooldeck_server.runtime import acting
from pooldeck_server.runtime.alerts.callback_sender import CallbackSender
from pooldeck_server.runtime.alerts.webhooks import Webhooks
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.settings import AlertSettings
from pooldeck_server.store import queries, records
from pooldeck_server.store.database import Reader
from pooldeck_server.store.transaction import Transaction

_FIELD: Final = "/callback"
_TARGET: Final = "callbacks"
_KNOWN_SECONDS: Final = 60.0  # for which a host that was judged is not looked up again
_SHOWN_OF_HOST: Final = 80
_MOST_KNOWN: Final = 1000  # hosts
_OFF: Final = "callbacks are off on this server: an admin turns them on, on the page /alerts"


@dataclass(kw_only=True, eq=False)
class Callbacks:
    """Whether ends are told, what signs them, and what became of each."""

    settings: AlertSettings
    sender: CallbackSender
    webhooks: Webhooks
    recorder: Recorder
    reader: Reader
    clock: Clock
    _known: dict[str, float] = field(init=False, default_factory=dict)  # hosts, and until when

    @property
    def signing(self) -> Signing:
        return self.sender.signing

    async def admit(self, url: str) -> None:
        """Refuse the address of a submission to which no end can be told.

        Raises:
            InvalidRequest: If it is none, leads to where the server does not call, or callbacks
                are off.
        """
        if not self.signing.is_on:
            raise InvalidRequest(f"callback: {_OFF}", field=_FIELD)
        try:
            await self._check(url)
        except InvalidRequest as error:
            words = error.detail.removeprefix("url: ")
            raise InvalidRequest(f"callback: {words}", field=_FIELD) from None

    async def _check(self, url: str) -> None:
        host = await self.webhooks.parse(url)
        self.settings.check_callback_host(host_of(url))
        now = self.clock.monotonic()
        if self._known.get(host, 0.0) > now:
            return
        try:
            await self.webhooks.check(url)
        except InvalidRequest:  # which would tell an operator what the names of the network mean
            raise InvalidRequest(
                f"{host[:_SHOWN_OF_HOST]} does not lead to public addresses; if it is meant, an "
                "admin lists its network in allowed_networks of [alerts]"
            ) from None
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[host] = now + _KNOWN_SECONDS

    async def turn(self, *, is_on: bool) -> None:
        """Tell ends, or leave them waiting.

        Raises:
            Conflict: If there is no secret yet that signs.
        """
        if not self.signing.secrets:
            raise Conflict("callbacks have no secret yet: make one, which turns them on")
        signing = replace(self.signing, is_on=is_on, trouble=None)
        await self._save(signing, Deed.TURN_CALLBACKS, after={"is_on": is_on})

    async def rotate(self) -> str:
        """Make a new secret and return it; the first turns callbacks on.

        The one before signs too for a day.
        """
        before, secret, now = self.signing, new_secret(), self.clock.now()
        end = now + OVERLAP
        valid = [each for each in before.secrets if each.until is None or each.until > now]
        old = [SigningSecret(each.secret, min(each.until or end, end)) for each in valid[:3]]
        is_on = before.is_on or not before.secrets
        signing = replace(before, secrets=(SigningSecret(secret), *old), is_on=is_on)
        await self._save(signing, Deed.ROTATE_SECRET)
        return secret

    async def _save(
        self, signing: Signing, deed: Deed, after: dict[str, bool] | None = None
    ) -> None:
        action = acting.action(self.clock.now(), deed, _TARGET, after=after)

        def write(transaction: Transaction) -> None:
            records.save_signing(transaction, signing)
            records.act(transaction, action)

        await self.recorder.perform(write)
        self.sender.signing = signing
        self.sender.look_soon()

    async def deliveries(
        self, limit: int, before: int | None = None, task: str | None = None
    ) -> list[StoredCallback]:
        """Return up to `limit`, the latest first, numbered below `before`, of one task or all."""
        return await self.reader.run(queries.callback_deliveries, limit, before, task)

    async def again(self, number: int) -> None:
        """Tell an end now, also one that was told or given up: its message keeps its id.

        Raises:
            NotFound: If there is no such delivery.
            Conflict: If callbacks are off.
        """
        task = await self.reader.run(queries.task_of_callback, number)
        if task is None:
            raise _no_delivery(number)
        if not self.signing.is_on:
            raise Conflict(_OFF)
        now = self.clock.now()
        after = {"delivery": number}
        action = acting.action(now, Deed.RETRY_DELIVERY, _TARGET, task, after=after)

        def write(transaction: Transaction) -> bool:
            is_there = records.call_again(transaction, number, now)
            if is_there:
                records.act(transaction, action)
            return is_there

        if not await self.recorder.perform(write):
            raise _no_delivery(number)
        self.sender.look_soon()


def _no_delivery(number: int) -> NotFound:
    return NotFound(f"there is no callback {number}")
