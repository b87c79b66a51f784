"""One boot of a host: a pool that a server has the use of, for as long as its lease lasts."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from msgspec.structs import replace

from pooldeck.hosts.boot_end import BootEnd, BootEnding
from pooldeck.hosts.folders import HostFolder
from pooldeck.hosts.machine import sample
from pooldeck.hosts.membership import HostSpec, Membership
from pooldeck.hosts.reporter import HostReporter
from pooldeck.hosts.stream import FrameStream
from pooldeck.hosts.untaken import Secured
from pooldeck.hosts.waiting_calls import WaitingCalls
from pooldeck.hosts.wire import (
    CancelCall,
    Drain,
    EndsKept,
    FromHost,
    FromServer,
    Gone,
    KillCall,
    KillWorker,
    Leaving,
    LookAt,
    Post,
    Resize,
    Restart,
    Resume,
    Stacked,
    Welcome,
)
from pooldeck.keeper import Keeper
from pooldeck.marks import sweep
from pooldeck.pools.out_of_memory import MemoryWatch
from pooldeck.pools.pool import Pool
from pooldeck.protocol import ProtocolError

_log: Final = logging.getLogger(__name__)
_SAMPLE: Final = 1.0
_LAST_WORDS: Final = 2.0  # seconds for the server to hear that it is over


class Host:
    """A boot of a host.

    Args:
        spec: What it says of itself.
        dial: Opens a connection to the server.
        folder: Its place for files.
        secured: What secures its connections.
    """

    def __init__(
        self,
        spec: HostSpec,
        dial: Callable[[], Awaitable[FrameStream]],
        folder: HostFolder,
        secured: Secured,
    ) -> None:
        self.boot = secrets.token_hex(8)
        self._ending = BootEnding()
        self._membership = Membership(
            *(spec, self.boot, dial, secured),
            read=self._read,
            extend=self._extend,
            ending=self._ending,
        )
        self._talk = self._membership.talk
        self._spec = spec
        self._folder = folder
        self._keeper = Keeper(self.boot)
        self._pool: Pool
        self._reporter: HostReporter
        self._waiting: WaitingCalls
        self._looks = set[asyncio.Task[None]]()
        self._is_gone_known = False

    @property
    def pids(self) -> list[int]:
        """Return the process ids of the workers and of the keeper."""
        return [*self._pool.pids.values(), self._keeper.pid]

    def end(self, why: str, *, grace: float = 0.0, is_final: bool = False) -> None:
        """Begin to end; asked once more, give what runs no more time.

        Args:
            why: For the log, and for whoever started the host.
            grace: Seconds for what runs.
            is_final: Whether there is to be no other boot.
        """
        self._ending.begin(why, grace=grace, is_final=is_final)

    def leave(self, why: str) -> None:
        """Have the server hand over nothing more, and end the host when nothing runs there."""
        self._talk.send(Leaving(why))

    def end_untaken(self) -> None:
        """Begin to end if no server has taken it yet."""
        if not self._membership.deck:
            self.end("no server has taken it in time", is_final=True)

    async def run(self) -> BootEnd:
        """Be a part of the server's pool; return when that is over and nothing is left running.

        Raises:
            OSError: If no keeper can be started, or there is no room for files.
        """
        gone = await asyncio.to_thread(self._folder.gone)
        await self._keeper.start()
        welcome = None
        try:
            welcome = await self._membership.enter(gone)
            if welcome is not None:
                await self._serve(welcome)
        finally:
            await self._keeper.stop()
            self._talk.disconnect()
            if welcome is not None:
                self._folder.forget(each.boot for each in gone)
            if self._is_gone_known:
                self._folder.forget([self.boot])
        return self._ending.end or BootEnd("it is over")

    async def _serve(self, welcome: Welcome) -> None:
        # Nothing is awaited until there is a pool: the server's next frame is about it.
        self._pool = self._make_pool(welcome)
        self._reporter.pool = self._pool
        self._waiting = WaitingCalls(self._pool, self._reporter, self._is_fenced)
        until = self._membership.lease.until
        if not self._keeper.extend(until):
            self.end("it has no keeper")
        self._pool.extend(until)
        work = (
            self._membership.renew(welcome.renew),
            self._membership.stay_in_touch(),
            self._waiting.give_back_late(),
            self._sample(),
        )
        helpers = [asyncio.create_task(each) for each in work]
        try:
            await self._pool.start()
            self._reporter.tell_pool()
            await self._ending.begun()
            await self._leave()
        finally:
            for helper in helpers:
                helper.cancel()

    def _extend(self, until: float) -> bool:
        """Have what runs end later; return whether there is a keeper that ends it."""
        if not self._keeper.extend(until):
            return False
        self._pool.extend(until)
        return True

    def _is_fenced(self) -> bool:
        return self._membership.is_fenced

    def _has_room(self) -> None:
        self._waiting.hand_on()

    def _make_pool(self, welcome: Welcome) -> Pool:
        boxes = self._folder.begin(self.boot, welcome.deck, welcome.term)
        loop = asyncio.get_running_loop()
        self._reporter = HostReporter(self._talk.send, boxes, self._has_room, loop.call_later)
        named = f"{welcome.pool.name}@{self._spec.name}.{self.boot[:6]}"
        spec = replace(welcome.pool.spec(), folder=boxes.folder, worker_name=named)
        numbers = iter(range(1, 1 << 62))

        async def next_number() -> int:
            return next(numbers)

        return Pool(spec, self.boot, next_number, self._reporter, memory=MemoryWatch(), boxes=boxes)

    # What the server says.

    def _read(self, message: FromHost | FromServer) -> None:
        match message:
            case Post():
                self._post(message)
            case EndsKept():
                self._pool.commit(self._reporter.kept(message.ends))
            case CancelCall():
                if not self._waiting.take_back(message.task) and self._pool.cancel(message.task):
                    _log.debug("task %s is asked to end", message.task)
            case KillCall():
                if not self._waiting.kill(message.task):
                    self._pool.kill(message.task)
            case LookAt():
                self._look(message.task)
            case _:
                self._control(message)

    def _control(self, message: FromHost | FromServer) -> None:
        match message:
            case Resize():
                self._pool.resize(message.size)
            case Restart():
                self._pool.restart(message.code)
            case KillWorker():
                self._pool.kill_worker(message.worker)
            case Drain():
                self._pool.drain()
                self._reporter.changed()
            case Resume():
                self._pool.resume()
                self._reporter.changed()
            case _:
                raise ProtocolError(f"a server does not send a {type(message).__name__} here")

    def _post(self, post: Post) -> None:
        if post.boot != self.boot or post.term != self._membership.term:
            raise ProtocolError(f"task {post.call.task} is for another boot")
        self._waiting.add(post)

    def _look(self, task: str) -> None:
        async def look() -> None:
            self._talk.send(Stacked(task, await self._pool.stack(task)))

        looking = asyncio.create_task(look())
        self._looks.add(looking)
        looking.add_done_callback(self._looks.discard)

    async def _sample(self) -> None:
        """Look at what the workers use, and hold them to the pool's limit of memory."""
        while True:
            await asyncio.sleep(_SAMPLE)
            sampled = await asyncio.to_thread(sample, dict(self._pool.pids))
            for each in sampled.workers:
                self._pool.note_memory(each.worker, each.rss_bytes)
            self._talk.send_now(sampled)

    # The end.

    async def _leave(self) -> None:
        """End all that runs, and say so."""
        _log.info("host %s ends: %s", self._spec.name, self._ending.why)
        self._talk.send(Leaving(self._ending.why))
        self._waiting.hand_on()
        await self._stop_pool()
        self._reporter.tell_pool()
        await asyncio.to_thread(sweep, [self.boot])
        if self._talk.is_connected:
            gone = Gone(self.boot, self._membership.deck, self._membership.term, is_whole=True)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._talk.sent(), _LAST_WORDS)
                self._talk.send(gone)
                await asyncio.wait_for(self._talk.settled(), _LAST_WORDS)
                self._is_gone_known = True

    async def _stop_pool(self) -> None:
        """Let what runs end for a while, or until the host is asked to end once more."""
        hurrying = asyncio.create_task(self._hurry())
        try:
            await self._pool.stop(self._ending.grace)
        finally:
            hurrying.cancel()

    async def _hurry(self) -> None:
        await self._ending.hurried()
        await self._pool.stop(0)
