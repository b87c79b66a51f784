"""The list of functions, and one function with its numbers."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from app.domain.catalogue import RegisteredFunction
from app.domain.controls import Hold
from app.domain.figures import Count, Durations
from app.domain.states import LIVE, State
from app.web import formats

RELEASED: Final = {"released": "It was released: its tasks run again, and new ones are taken."}
"""What the page says after a function was released."""


@dataclass(frozen=True)
class FunctionRow:
    """A function in the list; numbers are of all tasks kept."""

    name: str
    summary: str
    pool: str
    problem: str | None
    hold: Hold | None
    live: int
    succeeded: int
    unsuccessful: int


@dataclass(frozen=True)
class Figure:
    """A number with its name; `href` lists what it counts, where a list can."""

    label: str
    value: str
    href: str | None = None


def functions_context(
    functions: Sequence[RegisteredFunction],
    counts: Iterable[Count],
    holds: Iterable[Hold],
    *,
    is_known: bool,
) -> dict[str, Any]:
    """Return what the list of functions shows.

    Args:
        functions: What can be called.
        counts: How many tasks are kept.
        holds: What is on hold.
        is_known: Whether any worker has reported its functions yet.
    """
    by_function: dict[str, Counter[State]] = defaultdict(Counter)
    for count in counts:
        by_function[count.function][count.state] += count.n
    held = {hold.function: hold for hold in holds}
    rows = [
        _row(function, by_function[function.spec.name], held.pop(function.spec.name, None))
        for function in functions
    ]
    return {"functions": rows, "is_known": is_known, "gone": tuple(held.values())}


def function_context(
    function: RegisteredFunction,
    counts: Iterable[Count],
    durations: Durations,
    pools: Sequence[str],
    hold: Hold | None,
) -> dict[str, Any]:
    """Return what the page of one function shows beside its form.

    Args:
        function: The function.
        counts: How many tasks of any function are kept.
        durations: How long its latest tasks waited and ran.
        pools: The names of the pools.
        hold: Why it is on hold, if it is.
    """
    own: Counter[State] = Counter()
    for count in counts:
        if count.function == function.spec.name:
            own[count.state] += count.n
    return {
        "spec": function.spec,
        "pool": function.pool,
        "problem": function.problem,
        "hold": hold,
        "pools": pools,
        "numbers": (*_by_state(function.spec.name, own), *_usual(durations)),
        "latest": durations.n,
    }


def _row(
    function: RegisteredFunction, counts: Mapping[State, int], hold: Hold | None
) -> FunctionRow:
    return FunctionRow(
        name=function.spec.name,
        summary=function.spec.doc.strip().partition("\n")[0],
        pool=function.pool,
        problem=function.problem,
        hold=hold,
        live=sum(counts.get(state, 0) for state in LIVE),
        succeeded=counts.get(State.SUCCEEDED, 0),
        unsuccessful=counts.get(State.FAILED, 0) + counts.get(State.LOST, 0),
    )


def _by_state(name: str, counts: Mapping[State, int]) -> tuple[Figure, ...]:
    if not any(counts.values()):
        return (Figure("Submitted", "none yet"),)
    return tuple(
        Figure(
            state.capitalize(),
            formats.count(counts[state]),
            f"/tasks?state={state}&function={quote(name)}",
        )
        for state in State
        if counts.get(state)
    )


def _usual(durations: Durations) -> Iterable[Figure]:
    for words, percentiles in (("wait", durations.wait), ("run", durations.run)):
        if percentiles is not None:
            yield Figure(f"Usual {words}", formats.duration(percentiles.p50))
            yield Figure(f"Slow {words} (p95)", formats.duration(percentiles.p95))
