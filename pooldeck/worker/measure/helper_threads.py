"""Helper threads, which functions start beside the one they run on, and what they use.

Where one call runs in a process, the CPU time of the process tells. Among others it belongs to no
call, unless all that run are calls of one function: then what is neither their own threads' nor
the worker's was done for them.
"""

from dataclasses import dataclass, field
from time import process_time
from typing import Final, NamedTuple

from pooldeck.worker.measure.thread_state import ThreadStates
from pooldeck.worker.runs import Runs

_OWN_SHARE: Final = 0.08  # of a CPU: what the worker's other threads use
_LINGER: Final = 10  # looks at helpers after one that found them on a CPU


class Help(NamedTuple):
    """Seconds that helpers were on a CPU, and seconds that they were ready and no CPU was free."""

    cpu: float = 0.0
    delayed: float = 0.0


@dataclass
class HelperThreads:
    """Watches the threads of a worker that run no calls; `own` is the thread that watches."""

    runs: Runs
    states: ThreadStates
    own: int
    _process: float = 0.0  # CPU time
    _known: dict[int, float] = field(default_factory=dict)  # that of callers' threads and the own
    _delays: dict[int, float] = field(default_factory=dict)  # of all others, as last looked at
    _looks: int = 0  # at helpers, that are left

    def start(self) -> None:
        """Begin anew: what was used until now does not count."""
        self._process, self._known = process_time(), self._known_now()
        self._looks = 0

    def since(self, seconds: float) -> Help:
        """Return what helpers used since the last time, so many seconds ago."""
        process, known = process_time(), self._known_now()
        # The time of a thread that has ended is 0, as that of an abandoned one in the end.
        calls = sum(max(0.0, cpu - self._known.get(thread, 0.0)) for thread, cpu in known.items())
        cpu = process - self._process - calls
        self._process, self._known = process, known
        is_helped = cpu > _OWN_SHARE * seconds
        self._looks = _LINGER if is_helped else self._looks - 1
        if self._looks <= 0:
            return Help()
        return Help(cpu if is_helped else 0.0, self._delayed(seconds))

    def _known_now(self) -> dict[int, float]:
        return {thread: self.states.cpu(thread) for thread in (*self.runs.threads(), self.own)}

    def _delayed(self, seconds: float) -> float:
        """Return for how long helpers lacked a CPU since the last time, so many seconds ago."""
        before = self._delays
        others = [thread for thread in self.states.threads() if thread not in self._known]
        self._delays = {thread: self.states.delay(thread) for thread in others}
        return sum(
            min(seconds, delay - before.get(thread, 0.0)) for thread, delay in self._delays.items()
        )
