"""One boot of a host: a pool that a server has the use of, for as long as its lease lasts."""

import asyncio
import logging
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pooldeck.hosts.folders import HostFolder
from pooldeck.hosts.lease import HostLease, host_clock
from pooldeck.hosts.machine import sample, this_machine, versions
from pooldeck.hosts.reporter import HostReporter
from pooldeck.hosts.stream import FrameStream
from pooldeck.hosts.talk import Talk
from pooldeck.hosts.untaken import ClosedAtOnceError, Secured, TurnedAwayError
from pooldeck.hosts.wire import (
    CancelCall,
    Drain,
    EndsKept,
    FromHost,
    FromServer,
    Gone,
    Grant,
    Hello,
    KillCall,
    KillWorker,
    Leaving,
    LookAt,
    NotTaken,
    Over,
    Post,
    Renew,
    Resize,
    Restart,
    Resume,
    Stacked,
    Welcome,
    encode,
    from_server,
)
from pooldeck.keeper import Keeper
from pooldeck.marks import sweep
from pooldeck.pools.out_of_memory import MemoryWatch
from pooldeck.pools.pool import Pool
from pooldeck.protocol import ProtocolError

_log: Final = logging.getLogger(__name__)
_REDIAL: Final = 0.25  # seconds after a connection was lost
_LONGEST_PAUSE: Final = 10.0  # between two tries to be taken
_ANSWER: Final = 10.0  # seconds for a server to answer a `Hello`
_SILENCE: Final = 3.0  # requests for a lease that are not answered: the connection is dead
_SLACK: Final = 0.5  # seconds before the end of the lease, to end by itself
_WAITS: Final = 0.5  # seconds for a call that no worker takes, before it is given back
_SAMPLE: Final = 1.0
_LAST_WORDS: Final = 2.0  # seconds for the server to hear that it is over


class HostSpec(Struct, frozen=True):
    """What a host says of itself."""

    pool: str
    name: str
    token: str
    has: dict[str, float] = {}


class BootEnd(Struct, frozen=True):
    """Why a boot is over; if it `is_final`, there is to be no other."""

    why: str
    is_final: bool = False


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
        self._spec = spec
        self._dial = dial
        self._folder = folder
        self._secured = secured
        self._machine = this_machine()
        self._keeper = Keeper(self.boot)
        self._talk = Talk.with_server(self._read, self._lost)
        self._lease: HostLease
        self._pool: Pool
        self._reporter: HostReporter
        self._end: BootEnd | None = None
        self._over = asyncio.Event()
        self._away = asyncio.Event()  # there is no connection
        self._waiting = deque[tuple[Post, float]]()
        self._looks = set[asyncio.Task[None]]()
        self._heard_at = 0.0
        self._deck, self._term = "", 0
        self._grace = 0.0
        self._hurried = asyncio.Event()
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
        if self._end is None:
            self._end = BootEnd(why, is_final)
            self._grace = grace
        else:
            self._hurried.set()
        self._over.set()

    def leave(self, why: str) -> None:
        """Have the server hand over nothing more, and end the host when nothing runs there."""
        self._talk.send(Leaving(why))

    def end_untaken(self) -> None:
        """Begin to end if no server has taken it yet."""
        if not self._deck:
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
            welcome = await self._enter(gone)
            if welcome is not None:
                await self._serve(welcome)
        finally:
            await self._keeper.stop()
            self._talk.disconnect()
            if welcome is not None:
                self._folder.forget(each.boot for each in gone)
            if self._is_gone_known:
                self._folder.forget([self.boot])
        return self._end or BootEnd("it is over")

    async def _serve(self, welcome: Welcome) -> None:
        # Nothing is awaited until there is a pool: the server's next frame is about it.
        self._pool = self._make_pool(welcome)
        self._reporter.pool = self._pool
        if not self._keeper.extend(self._lease.until):
            self.end("it has no keeper")
        self._pool.extend(self._lease.until)
        work = (self._renew(welcome.renew), self._stay_in_touch(), self._sample(), self._retry())
        helpers = [asyncio.create_task(each) for each in work]
        try:
            await self._pool.start()
            self._reporter.tell_pool()
            await self._over.wait()
            await self._leave()
        finally:
            for helper in helpers:
                helper.cancel()

    def _make_pool(self, welcome: Welcome) -> Pool:
        boxes = self._folder.begin(self.boot, welcome.deck, welcome.term)
        loop = asyncio.get_running_loop()
        self._reporter = HostReporter(self._talk.send, boxes, self._hand_on, loop.call_later)
        named = f"{welcome.pool.name}@{self._spec.name}.{self.boot[:6]}"
        spec = replace(welcome.pool.spec(), folder=boxes.folder, worker_name=named)
        numbers = iter(range(1, 1 << 62))

        async def next_number() -> int:
            return next(numbers)

        return Pool(spec, self.boot, next_number, self._reporter, memory=MemoryWatch(), boxes=boxes)

    # The connection.

    async def _enter(self, gone: list[Gone]) -> Welcome | None:
        """Dial until the server takes the host; None if it never will, or is not to."""
        pause, last = _REDIAL, ""
        while self._end is None:
            try:
                return await self._join(gone, is_first=True)
            except (OSError, ProtocolError, TimeoutError) as error:
                why = self._secured.why(error)
                if why != last:
                    _log.warning("host %s %s", self._spec.name, why)
                last = why
            with suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
        return None

    async def _join(self, gone: list[Gone], *, is_first: bool) -> Welcome | None:
        """Dial once, and say who this is.

        Returns:
            What the server says; None if it does not want this boot, which is noted.

        Raises:
            OSError: If there is no server there, or not the one that is meant.
            ProtocolError: If what answers is none.
            TimeoutError: If it does not answer in time.
        """
        stream = await asyncio.wait_for(self._dial(), _ANSWER)
        try:
            asked = host_clock() if is_first else self._lease.ask()
            stream.send(0, encode(self._hello(gone, is_first=is_first)))
            received = await asyncio.wait_for(stream.receive(), _ANSWER)
            if received is None:
                raise ClosedAtOnceError
            answer = from_server(received[1])
            match answer:
                case NotTaken():
                    self._refused(answer)
                case Over():
                    self.end(answer.why, is_final=answer.is_final)
                case Welcome():
                    self._take_on(answer, asked)
                    self._talk.connect(stream, answer.received)
                    self._away.clear()
                    return answer
                case _:
                    raise ProtocolError(f"a server does not begin with a {type(answer).__name__}")
        finally:
            if not self._talk.is_connected:
                stream.close()
        return None

    def _hello(self, gone: list[Gone], *, is_first: bool) -> Hello:
        return Hello(
            *(self._spec.token, self._spec.pool, self._spec.name, self.boot, self._machine),
            versions(),
            self._spec.has,
            self._deck,
            self._term,
            self._talk.acked(),
            tuple(gone),
            rejoin=not is_first,
        )

    def _refused(self, answer: NotTaken) -> None:
        """Note a refusal.

        Raises:
            TurnedAwayError: If it is worth another try.
        """
        if not answer.is_final:
            raise TurnedAwayError(answer.why)
        self.end(answer.why, is_final=True)

    def _take_on(self, welcome: Welcome, asked: float) -> None:
        self._heard_at = host_clock()
        if not self._deck:
            self._deck, self._term = welcome.deck, welcome.term
            self._lease = HostLease(welcome.lease, until=asked + welcome.lease)
            _log.info("host %s is part of pool %s", self._spec.name, welcome.pool.name)
        else:
            self._extend(int(asked))

    def _extend(self, asked: int) -> None:
        """Take a longer lease, if there is a keeper that ends it."""
        until = self._lease.granted(asked)
        if until > self._lease.until and self._keeper.extend(until):
            self._lease.until = until
            self._pool.extend(until)

    async def _stay_in_touch(self) -> None:
        """Dial again whenever the connection is lost."""
        while True:
            await self._away.wait()
            with suppress(OSError, ProtocolError, TimeoutError):
                await self._join([], is_first=False)
            await asyncio.sleep(_REDIAL)

    def _lost(self, why: str | None) -> None:
        if self._end is None:
            _log.warning("host %s lost its connection: %s", self._spec.name, why or "it was closed")
            if why is not None:
                self.end(f"the server said what cannot be taken: {why}")
        self._away.set()

    async def _renew(self, seconds: float) -> None:
        """Ask for a longer lease now and then; end when it is over."""
        slack = min(_SLACK, self._lease.seconds / 10)
        while (left := self._lease.left - slack) > 0:
            if self._talk.is_connected and host_clock() - self._heard_at > _SILENCE * seconds + 1:
                self._talk.disconnect()
            self._talk.send_now(Renew(self._lease.ask(), self._talk.acked()))
            await asyncio.sleep(min(seconds, left))
        self.end("its lease is over: nothing was heard from the server in time")

    # What the server says.

    def _read(self, message: FromHost | FromServer) -> None:
        match message:
            case Post():
                self._post(message)
            case Grant():
                self._heard_at = host_clock()
                self._talk.acknowledge(message.received)
                self._extend(message.n)
            case EndsKept():
                self._pool.commit(self._reporter.kept(message.ends))
            case CancelCall():
                if not self._take_back(message.task) and self._pool.cancel(message.task):
                    _log.debug("task %s is asked to end", message.task)
            case KillCall():
                self._kill(message.task)
            case LookAt():
                self._look(message.task)
            case Over():
                self.end(message.why, is_final=message.is_final)
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

    # Calls.

    @property
    def _is_fenced(self) -> bool:
        """Tell whether nothing may begin any more."""
        return self._end is not None or self._lease.left <= 0

    def _post(self, post: Post) -> None:
        if post.boot != self.boot or post.term != self._term:
            raise ProtocolError(f"task {post.call.task} is for another boot")
        self._waiting.append((post, asyncio.get_running_loop().time()))
        self._hand_on()

    def _hand_on(self) -> None:
        """Hand on what waits, or give it back if nothing may begin any more."""
        if self._is_fenced:
            self._give_back(len(self._waiting))
        while self._waiting:
            post, _ = self._waiting[0]
            if not self._pool.post(post.call, is_quick=post.is_quick, among=post.among):
                return
            self._waiting.popleft()

    def _give_back(self, number: int) -> None:
        self._reporter.returned([self._waiting.popleft()[0].call for _ in range(number)])

    async def _retry(self) -> None:
        """Give back what has waited for long."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_WAITS / 2)
            since = loop.time() - _WAITS
            self._give_back(sum(posted_at < since for _, posted_at in self._waiting))

    def _take_back(self, task: str) -> bool:
        """Give a call back if no worker has it; return whether it was so."""
        for each in self._waiting:
            if each[0].call.task == task:
                self._waiting.remove(each)
                self._reporter.returned([each[0].call])
                return True
        return False

    def _kill(self, task: str) -> None:
        for each in self._waiting:
            if each[0].call.task == task:
                self._waiting.remove(each)
                self._reporter.refused(each[0].call)
                return
        self._pool.kill(task)

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
        _log.info("host %s ends: %s", self._spec.name, self._end.why if self._end else "")
        self._talk.send(Leaving(self._end.why if self._end else ""))
        self._hand_on()
        await self._stop_pool()
        self._reporter.tell_pool()
        await asyncio.to_thread(sweep, [self.boot])
        if self._talk.is_connected:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._talk.sent(), _LAST_WORDS)
                self._talk.send(Gone(self.boot, self._deck, self._term, is_whole=True))
                await asyncio.wait_for(self._talk.settled(), _LAST_WORDS)
                self._is_gone_known = True

    async def _stop_pool(self) -> None:
        """Let what runs end for a while, or until the host is asked to end once more."""
        hurrying = asyncio.create_task(self._hurry())
        try:
            await self._pool.stop(self._grace)
        finally:
            hurrying.cancel()

    async def _hurry(self) -> None:
        await self._hurried.wait()
        await self._pool.stop(0)
