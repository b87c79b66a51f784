"""How starting a pool's workers goes: deadlines, growing pauses, and when to give up."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from pooldeck.loaded_code import ModuleFailure
from pooldeck.outcome import Error, ErrorKind
from pooldeck.pools.model import PoolSpec, WorkerState
from pooldeck.pools.worker import EndReason, Worker
from pooldeck.protocol import Unready

BOOT_ROUNDS: Final = 4
_FIRST_PAUSE: Final = 0.25  # seconds before a worker that did not get ready is started again
_NEXT_TRY: Final = 1.0  # seconds, where starting one was not even tried
_PROVEN: Final = 1.0  # seconds after which a worker's start is taken for a good one
_ENOUGH: Final = 2  # workers that a module took down: one may have died of something else
_SECOND_LOOK: Final = 0.05  # seconds from a worker's deadline to its end


@dataclass(eq=False)
class StartBackoff:
    """Counts the starts that fail in a row."""

    spec: PoolSpec
    try_again: Callable[[], None]  # called after a pause
    reason: str | None = field(default=None, init=False)  # why the latest start failed, if it did
    are_given_up: bool = field(default=False, init=False)  # no more starts until `begin_anew`
    _failed: int = field(default=0, init=False)
    _blamed: dict[str, list[ModuleFailure]] = field(default_factory=dict, init=False)
    _pauses: int = field(default=0, init=False)

    @property
    def may_start(self) -> bool:
        return not self._pauses and not self.are_given_up

    def begin_anew(self) -> None:
        self.reason = None
        self.are_given_up = False
        self._failed = self._pauses = 0
        self._blamed.clear()

    @property
    def left_out(self) -> tuple[ModuleFailure, ...]:
        """The modules that new workers do not import, since they took earlier ones down."""
        return tuple(each[-1] for each in self._blamed.values() if len(each) >= _ENOUGH)

    def blame(self, failure: ModuleFailure) -> None:
        """Note that a module ended a worker, or held it up; the second time it is left out."""
        blamed = self._blamed.setdefault(failure.module, [])
        blamed.append(failure)
        if len(blamed) == _ENOUGH:
            self._failed = 0  # without it the next start may well succeed

    def watch(self, worker: Worker) -> None:
        """Give up a worker that is not ready in time."""
        loop = asyncio.get_running_loop()
        worker.ultimatum = loop.call_later(self.spec.boot_seconds, self._look_again, worker)

    def _look_again(self, worker: Worker) -> None:
        """Read first what has come in: the server may have been stopped, or held up."""
        loop = asyncio.get_running_loop()
        worker.ultimatum = loop.call_later(_SECOND_LOOK, self._give_up, worker)

    def _give_up(self, worker: Worker) -> None:
        if worker.verdict is None:
            seconds = f"{self.spec.boot_seconds:g} seconds (boot_seconds)"
            why = f"it was not ready after {seconds}"
            if worker.loading:
                why = f"its import had not ended after {seconds}"
            worker.verdict, worker.why = EndReason.UNSTARTED, why
            late = Error(ErrorKind.EXCEPTION, "TimeoutError", why)
            worker.refusal = worker.refusal or (
                ModuleFailure(worker.loading, late) if worker.loading else Unready(late, "")
            )
            worker.process.kill()

    def succeeded(self, worker: Worker) -> None:
        """Note that a worker got ready. If it lives on for a while, it is proven."""
        worker.lift_ultimatum()
        self.reason = None
        asyncio.get_running_loop().call_later(_PROVEN, self._lives_on, worker)

    def _lives_on(self, worker: Worker) -> None:
        if worker.state is not WorkerState.STOPPING:
            self.confirm_start(worker)

    def confirm_start(self, worker: Worker) -> None:
        """Note that a worker's start was a good one: earlier failures are past."""
        worker.is_proven = True
        self._failed = 0

    def failed(self, why: str) -> None:
        """Start no worker for a while, longer from round to round; in the end give up."""
        in_a_round = self.spec.workers + self.spec.spare
        rounds = self._failed // in_a_round
        self._failed += 1
        self.reason = why
        if self._failed >= BOOT_ROUNDS * in_a_round:
            self.are_given_up = True
        else:
            self._pause(_FIRST_PAUSE * 2**rounds)

    def pause(self, why: str) -> None:
        """Start no worker for a moment: it could not even be tried."""
        self.reason = why
        self._pause(_NEXT_TRY)

    def _pause(self, seconds: float) -> None:
        self._pauses += 1
        asyncio.get_running_loop().call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        self._pauses = max(0, self._pauses - 1)
        self.try_again()
