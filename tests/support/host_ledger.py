"""What calls on hosts have really done, against what was said of them."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress

import msgspec

from pooldeck.outcome import ErrorKind, Outcome
from pooldeck.pools.listener import RunningCall
from pooldeck.protocol import Call
from tests.support.hosted import Hosts
from tests.support.pooled import eventually


class Ledger:
    """The traces of calls of `host_functions`, and what their pool said of them."""

    def __init__(self, there: Hosts) -> None:
        self.path = there.folder / "ledger"
        self.said_at: dict[str, float] = {}
        self._listener = there.listener
        self._finished = there.listener.finished
        there.listener.finished = self._note  # type: ignore[method-assign]

    def _note(self, run: RunningCall, outcome: Outcome) -> None:
        self.said_at[run.call.task] = time.monotonic()
        self._finished(run, outcome)

    def call(self, names: Iterable[str], seconds: float, function: str = "traced") -> None:
        """Have calls run as soon as there is room."""
        for name in names:
            args = msgspec.json.encode([str(self.path), name, seconds])
            call = Call(name, 1, f"host_functions.{function}", args, b"{}")
            self._listener.waiting.append(call)
        self._listener.has_room()

    def lines(self) -> list[tuple[str, str, int, float]]:
        """Return what calls did: what, the call, the process, and when."""
        rows = []
        with suppress(FileNotFoundError):
            for line in self.path.read_text().splitlines():
                what, name, pid, at = line.split()
                rows.append((what, name, int(pid), float(at)))
        return rows

    def has_begun(self, name: str) -> bool:
        """Tell whether a call has begun."""
        return any(row[:2] == ("start", name) for row in self.lines())

    async def all_said(self, count: int) -> None:
        """Return when it was said of so many calls how they ended."""
        await eventually(lambda: len(self.said_at) >= count)

    def kinds(self) -> Counter[str]:
        """Return how many calls ended in which way."""
        return Counter(
            outcome.error.kind if outcome.error is not None else "done"
            for outcome in self._listener.outcomes.values()
        )

    def check(self, count: int) -> None:
        """Compare what was done with what was said."""
        lines = self.lines()
        starts = Counter(name for what, name, _, _ in lines if what == "start")
        assert max(starts.values(), default=0) <= 1, "a call was started twice"
        assert len(self._listener.outcomes) == count, "a call is not accounted for"
        lost = {
            task
            for task, outcome in self._listener.outcomes.items()
            if outcome.error is not None and outcome.error.kind is ErrorKind.HOST_LOST
        }
        ran_on = [row for row in lines if row[1] in lost and row[3] > self.said_at[row[1]]]
        assert not ran_on, "a call ran on after it was declared lost"
        done = {name for what, name, _, _ in lines if what == "end"}
        for task, outcome in self._listener.outcomes.items():
            assert outcome.error is not None or task in done


class Relay:
    """Passes on bytes between hosts and a server, as slow and as unreliable as it is told to be."""

    def __init__(self, port: int, seconds: float = 0.0) -> None:
        self.is_open = True
        self.port = 0
        self._to = port
        self._seconds = seconds
        self._writers = set[asyncio.StreamWriter]()
        self._tasks = set[asyncio.Task[None]]()

    async def start(self) -> None:
        """Listen from now on."""
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self.is_open:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._to)
        self._writers |= {writer, far_writer}
        for one, other in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._pass_on(one, other))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()

        def write(data: bytes) -> None:
            if not writer.is_closing():
                writer.write(data)

        with suppress(OSError):
            while data := await reader.read(65536):
                if self._seconds:
                    loop.call_later(self._seconds, write, data)
                else:
                    write(data)
        writer.close()

    def cut(self) -> None:
        """End all connections."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def close(self) -> None:
        """Listen no more."""
        self.cut()
        self._server.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)
