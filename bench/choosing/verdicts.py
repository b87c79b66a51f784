"""What Pooldeck says of each function, from evidence of one way of running it alone.

There are five ways: one call after the other, or eight at a time, in a thread pool or in a process
pool; and one after the other in a thread pool in which six other calls sleep. Each has a server of
its own, which knows nothing but what it sees there.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from msgspec import Struct

from bench.choosing.asking import Call, Caller, calling
from bench.choosing.cases import COMPANY, MODULE, Case
from bench.choosing.material import bring_into_memory
from bench.processes import Pooldeck, pooldeck, wait_until

Company = Literal["none", "like", "sleepers"]
"""What runs beside a call: nothing, others of its function, or what sleeps."""

POOLS: Final = {"thread": "io", "process": "cpu"}
_AT_A_TIME: Final = 8
_SLEEPERS: Final = 6
_LONGEST: Final = 3600.0  # seconds that they sleep
_SETTLING: Final = 10.0  # seconds
_TITLES: Final = {
    "none": "alone",
    "like": f"{_AT_A_TIME} at a time",
    "sleepers": f"beside {_SLEEPERS} sleepers",
}
_ALONE: Final = 8  # calls
_TOGETHER: Final = 3 * _AT_A_TIME
_CONFIGURATION: Final = f"""\
functions = ["{MODULE}", "{COMPANY}"]
grace_seconds = 0

[pools.io]
kind = "thread"
size = {_AT_A_TIME}

[pools.cpu]
kind = "process"
size = {_AT_A_TIME}
spare = 0
"""


class Way(Struct, frozen=True):
    """How functions are run: in a kind of pool, and beside what."""

    kind: str
    company: Company = "none"

    @property
    def title(self) -> str:
        """Return it in words."""
        return f"{_TITLES[self.company]}, {self.kind}"

    def begin(self, server: Pooldeck, caller: Caller) -> None:
        """Have run in the background what is to be there."""
        if self.company == "sleepers":
            pool = POOLS[self.kind]
            caller.submit([(f"{COMPANY}.rest", pool, _LONGEST)] * _SLEEPERS)
            wait_until(lambda: server.busy(pool) == _SLEEPERS, _SETTLING)

    def run(self, caller: Caller, case: Case) -> int:
        """Run the case, and return how often."""
        call = Call(case, POOLS[self.kind])
        if self.company == "like":
            caller.run_all([call] * _TOGETHER)
            return _TOGETHER
        caller.run_alone(call, _ALONE)
        return _ALONE


WAYS: Final = (
    *(Way(kind, company) for company in ("none", "like") for kind in POOLS),
    Way("thread", "sleepers"),
)


class Verdict(Struct, frozen=True):
    """What was said of a case, the recommended kind (None: cannot say), and on what evidence."""

    case: Case
    way: Way
    verdict: str
    kind: str | None
    confidence: str
    evidence: dict[str, Any]

    @property
    def is_right(self) -> bool:
        """Tell whether the verdict and the recommended kind are."""
        return self.verdict in self.case.verdicts and self.is_kind_right

    @property
    def is_kind_right(self) -> bool:
        """Tell whether the recommended kind is, or may be another that is not said for sure."""
        is_open = self.case.shown_by_company and self.confidence == "low"
        return is_open or self.kind == self.case.kind


def measure(cases: Sequence[Case], folder: Path, ways: Sequence[Way] = WAYS) -> Iterator[Verdict]:
    """Run each case in each way, and yield what the server says of it."""
    for way in ways:
        with (
            pooldeck(folder / way.title.replace(", ", "-"), _CONFIGURATION) as server,
            calling(server.port) as caller,
        ):
            way.begin(server, caller)
            for case in cases:
                bring_into_memory(case.arguments)
                yield _verdict(case, way, caller.advice(case, way.run(caller, case)))


def _verdict(case: Case, way: Way, advice: dict[str, Any]) -> Verdict:
    recommended = advice["recommended"]
    kind = None if recommended is None else recommended["kind"]
    return Verdict(case, way, advice["verdict"], kind, advice["confidence"], advice["evidence"])
