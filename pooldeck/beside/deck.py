"""`pooldeck.asgi(...)`: the dashboard and the API of a server beside an app, mounted into the app.

The server is a process of its own; what is mounted passes requests on. It needs no lifespan: the
first request starts the server, unless a start of the app's does so by `await deck.start()`.

Who comes in is the app's to say, and nobody does before it has: whoever reaches this dashboard may
run every function. Either `allow` is asked about each request, and who is let in acts with a token
that only the app has; or the server asks for its own tokens (`access="tokens"`).
"""

import asyncio
import inspect
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pooldeck.beside.address import Address
from pooldeck.beside.child import ServerNotStarted, Start
from pooldeck.beside.modules import Functions, modules_of, refuse_in_worker
from pooldeck.beside.passing_on import Passing, Receive, Scope, Send, answer
from pooldeck.beside.shared_child import SharedChild
from pooldeck.client.offers import offer

if TYPE_CHECKING:
    from pooldeck.client import Client

Allow = Callable[[Scope], bool | Awaitable[bool]]
"""Tells of a request, as ASGI describes it, whether whoever asks may do everything."""

_DATA: Final = "pooldeck-data"
_CLOSED: Final = (
    "Nobody is let in here yet. Pass allow=, a function that says of an ASGI scope whether it may "
    'come in, or access="tokens" to pooldeck.asgi(...).'
)
_NOT_LET_IN: Final = "You may not see this."
_log = logging.getLogger(__name__)


def asgi(
    functions: Functions = (),
    *,
    data: str | os.PathLike[str] = _DATA,
    allow: Allow | None = None,
    access: Literal["tokens"] | None = None,
    timeout: float = 120.0,
    **settings: Any,
) -> "Deck":
    """Return an ASGI app to be mounted: `app.mount("/deck", pooldeck.asgi([...], allow=...))`.

    Until it is stopped, `add.submit(...)` and `pooldeck.fastapi.Tasks` go to its server, unless
    `pooldeck.client.use` or POOLDECK_URL says otherwise.

    Args:
        functions: What can be called: modules, their dotted names, or functions with `@task`,
            which bring the others of their modules along.
        data: The folder of the record, from where the app runs. All processes of the app that
            have the same one share the server.
        allow: Is asked about each request, with its ASGI scope, and may be `async`. Whom it lets
            in is an administrator.
        access: "tokens" lets the server decide instead: by the tokens that `pooldeck token` makes.
        timeout: Seconds within which the server has to be ready.
        **settings: Those of `pooldeck.toml`; they are all that count.

    Returns:
        The app. Without `allow` and `access` it answers 403 to everybody.

    Raises:
        TypeError: If something among `functions` is no function with `@task`.
        ValueError: If workers cannot load it, or both `allow` and `access` are given.
    """
    if access not in {None, "tokens"}:
        raise ValueError(f'access={access!r}: it is "tokens", or allow= says who may come in')
    if allow is not None and access is not None:
        raise ValueError("allow= and access= exclude each other: one of them lets people in")
    start = Start(
        Path(data).absolute(), modules_of(functions), {**settings, "trusted_proxies": ["127.0.0.1"]}
    )
    child = SharedChild(start, timeout)
    offer(child)
    return Deck(child, allow, asks_for_tokens=access is not None)


class Deck:
    """An ASGI app in front of a server beside it, which the first who needs it starts."""

    def __init__(self, child: SharedChild, allow: Allow | None, *, asks_for_tokens: bool) -> None:
        self._child = child
        self._allow = allow
        self._asks_for_tokens = asks_for_tokens
        self._passing = Passing()
        # One thread: while the server starts, those who wait for it take no thread of the app's.
        self._looking = ThreadPoolExecutor(1, "pooldeck-deck")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})  # nothing here is one
        elif refusal := await self._refusal(scope):
            await answer(send, 403, refusal)
        else:
            await self._pass_on(scope, receive, send)

    async def _refusal(self, scope: Scope) -> str | None:
        if self._asks_for_tokens:
            return None
        if self._allow is None:
            return _CLOSED
        is_let_in = self._allow(scope)
        if inspect.isawaitable(is_let_in):
            is_let_in = await is_let_in
        return None if is_let_in is True else _NOT_LET_IN  # nothing that is merely true

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            address = await self._address()
        except (ServerNotStarted, OSError) as error:
            _log.error("%s", error)
            await answer(send, 503, "The server beside this app does not start; its log says why.")
            return
        token = None if self._asks_for_tokens else address.token
        await self._passing.pass_on(scope, receive, send, address.url, token)

    async def _address(self) -> Address:
        if (known := self._child.known) is not None:
            return known
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._looking, self._child.address)

    async def start(self) -> None:
        """Start the server now, if there is none; use it from now on.

        Raises:
            ServerNotStarted: If it cannot start; it says why.
        """
        refuse_in_worker()
        await self._address()

    async def stop(self) -> None:
        """Use the server no more: it ends with the last process of the app that does so."""
        await self._passing.close()
        await asyncio.to_thread(self._child.leave)

    @asynccontextmanager
    async def lifespan(self, app: object = None) -> AsyncIterator[None]:  # noqa: ARG002
        """Use the server while the block lasts, as `FastAPI(lifespan=deck.lifespan)`."""
        await self.start()
        try:
            yield
        finally:
            await self.stop()

    async def _live(self, receive: Receive, send: Send) -> None:
        """Take part in the start and the end of an ASGI server that has this app alone."""
        await receive()
        await self.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    def client(self, **options: Any) -> "Client":
        """Return a client for the server, which is started if there is none.

        Args:
            **options: Those of `pooldeck.Client`.
        """
        from pooldeck.client import Client  # noqa: PLC0415 - who only looks needs none

        address = self._child.address()
        return Client(address.url, address.token, **options)

    @property
    def url(self) -> str:
        """Where the server itself is, on this machine; it is started if there is none."""
        return self._child.address().url
