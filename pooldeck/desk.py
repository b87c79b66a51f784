"""Where one call is run and reported: started, what it says, how it ended."""

import contextvars
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pooldeck import capture
from pooldeck.calls import Caller
from pooldeck.channel import Channel
from pooldeck.context import CurrentTask, enter
from pooldeck.discovery import Function
from pooldeck.flusher import Flusher
from pooldeck.journal import Journal
from pooldeck.outcome import Outcome
from pooldeck.output import OutputFile
from pooldeck.protocol import Call, Finished, Returned, Setup, Started
from pooldeck.surroundings import Surroundings

_QUICK_SECONDS: Final = 0.001


@dataclass(frozen=True)
class Equipment:
    """What a worker has when it is ready to run calls.

    Attributes:
        channel: Where to report.
        setup: What this worker is.
        output: Where descriptors 1 and 2 lead; None if they were left alone.
        functions: What can be called, by name.
    """

    channel: Channel
    setup: Setup
    output: OutputFile | None
    functions: Mapping[str, Function]


class Desk:
    """Runs calls side by side in one process, each on a thread of its own."""

    runs_alone = False

    def __init__(self, equipment: Equipment) -> None:
        self._channel = equipment.channel
        self._setup = equipment.setup
        self._output = equipment.output
        self._caller = Caller(equipment.functions, self._setup.limits, sole=self.runs_alone)
        self._context = contextvars.copy_context()  # with what the initializer has set
        self._quick: set[str] = set()  # functions whose latest run was short
        self._flusher = Flusher(self._look)
        self._flusher.start()

    def perform(self, call: Call, thread: int | None = None) -> None:
        """Run a call to its end.

        Args:
            call: What to run.
            thread: The number of this thread in a thread worker, from 1.
        """
        journal = Journal(call.task, self._setup.limits, self._channel.send)
        self._announce(Started(call.task, time.monotonic(), thread), call.function, journal)
        self._flusher.add(journal)
        outcome = self._context.copy().run(self._run, call, journal)
        self._note_pace(call.function, outcome)
        self._flusher.discard(journal)
        self._collect(journal)
        journal.close()
        self._channel.send(Finished(call.task, outcome, journal.take_start()))

    def _announce(self, started: Started, function: str, journal: Journal) -> None:
        """Report a start: at once, or with the end where that usually follows within a moment.

        If it does not follow this time, the flusher's next tick reports the start.
        """
        if function in self._quick:
            journal.keep_start(started)
        else:
            self._channel.send(started)

    def _note_pace(self, function: str, outcome: Outcome) -> None:
        measured = outcome.measurement
        if measured is not None and measured.run < _QUICK_SECONDS:
            self._quick.add(function)
        else:
            self._quick.discard(function)

    def _run(self, call: Call, journal: Journal) -> Outcome:
        enter(
            CurrentTask(
                journal,
                task_id=call.task,
                attempt=call.attempt,
                function=call.function,
                pool=self._setup.pool,
                worker=self._setup.worker,
            )
        )
        return self._caller.run(call)

    def _look(self, _journals: tuple[Journal, ...]) -> None:
        """Look after the output file at the flusher's tick: nobody knows which call wrote to it."""
        if self._output is not None:
            self._output.keep_small()

    def _collect(self, journal: Journal) -> None:
        """Gather what a call wrote elsewhere than in its journal."""


class LoneDesk(Desk):
    """Runs calls one at a time: whatever the process writes or changes is the call's."""

    runs_alone = True

    def __init__(self, equipment: Equipment) -> None:
        super().__init__(equipment)
        self._surroundings = Surroundings()

    def perform(self, call: Call, thread: int | None = None) -> None:
        """Run a call to its end, and put the process in order for the next one."""
        if self._output is not None:
            self._output.clear()
        super().perform(call, thread)
        self._surroundings.restore()
        if self._output is not None:
            self._output.connect()

    def _look(self, journals: tuple[Journal, ...]) -> None:
        for journal in journals:
            self._collect_file(journal)
        super()._look(journals)
        if journals:
            self._give_back()

    def _give_back(self) -> None:
        """Give back what waits behind the call that runs: it is not as quick as was thought."""
        if calls := self._channel.take_back():
            self._channel.send(Returned([call.task for call in calls]))

    def _collect(self, journal: Journal) -> None:
        capture.flush()
        self._collect_file(journal)

    def _collect_file(self, journal: Journal) -> None:
        if self._output is not None:
            self._output.move_to(journal)
