"""The page of one function: what it is, its numbers, its latest runs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from msgspec import Struct

from pooldeck.functions import Options
from pooldeck.kinds import PoolKind
from pooldeck_server.advice import Advice
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.functions.placements import PlacementRule
from pooldeck_server.domain.measurements.figures import Count, Durations
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.functions.advice import shown
from pooldeck_server.web.pages.functions.evidence import evidence
from pooldeck_server.web.pages.functions.signature import signature_parts
from pooldeck_server.web.pages.tasks.address import address
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later, ngettext
from pooldeck_server.web.text.placement import placement_words
from pooldeck_server.web.text.states import state_word

FLASHES: Final = {
    "placed": later(
        "What is submitted from now on runs there; tasks that wait stay where they are."
    ),
    "given_back": later("The server chooses its pool again, by its signature."),
}
"""What the page says of what was just done."""

LATEST = 10
"""How many of its latest tasks the page lists."""


class FunctionData(Struct, frozen=True):
    """What was read for the page.

    `counts` are of all tasks of any function, `durations` of its latest runs, `latest` its latest
    tasks, `pools` the sizes of the pools by name. `advice` is None where it has no pool;
    `profiles` is what that rests on.
    """

    function: RegisteredFunction
    counts: Sequence[Count]
    durations: Durations
    latest: Sequence[StoredTask]
    pools: Mapping[str, int]
    hold: Hold | None
    advice: Advice | None
    profiles: Mapping[PoolKind, Profile]


@dataclass(frozen=True)
class Figure:
    """A number with its name; `href` lists what it counts, where a list can."""

    label: str
    value: str
    href: str | None = None


@dataclass(frozen=True)
class PlacementShown:
    """Why a function is where it is, and the pool that somebody chose for it, "" if nobody did."""

    words: str
    by_hand: str


def function_context(read: FunctionData) -> dict[str, Any]:
    """Return what the page of one function shows beside its form."""
    spec = read.function.spec
    own: Counter[State] = Counter()
    for count in read.counts:
        if count.function == spec.name:
            own[count.state] += count.n
    query = urlencode({"function": spec.name})
    return {
        "spec": spec,
        "signature": signature_parts(spec.signature),
        "pool": read.function.pool,
        "problem": read.function.problem,
        "hold": read.hold,
        "placement": _placement(read.function),
        "advice": shown(read.advice, read.pools) if read.advice else None,
        "evidence": evidence(read.profiles),
        "pools": list(read.pools),
        "numbers": (*_by_state(spec.name, own), *_usual(read.durations)),
        "latest": read.latest,
        "options": tuple(_options(spec.options)),
        "links": {
            "tasks": f"/tasks?{query}",
            "timeline": f"/timeline?{query}",
            "errors": f"/errors?{query}",
            "incidents": f"/incidents?{query}",
        },
    }


def _placement(function: RegisteredFunction) -> PlacementShown | None:
    """Return why a function is where it is; None where it names its pool itself."""
    placement = function.placement
    if placement is None:
        return None
    by_hand = placement.pool if placement.rule is PlacementRule.BY_HAND else ""
    return PlacementShown(placement_words(placement), by_hand)


def _by_state(name: str, counts: Counter[State]) -> tuple[Figure, ...]:
    if not counts.total():
        return (Figure(_("Submitted"), _("none yet")),)
    return tuple(
        Figure(
            state_word(state),
            formats.count(counts[state]),
            address("/tasks", [("state", state), ("function", name)]),
        )
        for state in State
        if counts[state]
    )


def _usual(durations: Durations) -> Iterable[Figure]:
    if durations.wait is not None:
        yield Figure(_("Wait, half within"), formats.duration(durations.wait.p50))
        yield Figure(_("Wait, 19 of 20 within"), formats.duration(durations.wait.p95))
    if durations.run is not None:
        yield Figure(_("Run, half within"), formats.duration(durations.run.p50))
        yield Figure(_("Run, 19 of 20 within"), formats.duration(durations.run.p95))


def _options(options: Options) -> Iterable[str]:
    """Yield what the function was declared with, in sentences."""
    yield (
        _("It has no timeout.")
        if options.timeout is None
        else _("It may run for %(time)s at most.", time=formats.duration(options.timeout))
    )
    yield _retries(options)
    yield (
        _("It is idempotent: after a crash it is run again by itself.")
        if options.idempotent
        else _("It is not declared idempotent: after a crash it is not run again by itself.")
    )
    if options.priority:
        yield _("Its priority is %(n)s; the usual one is 0.", n=options.priority)
    if options.sensitive:
        names = ", ".join(options.sensitive)
        yield _("Hidden everywhere, and erased when a task is final: %(names)s.", names=names)


def _retries(options: Options) -> str:
    if not options.retries:
        return _("It is not run again after an exception or a timeout.")
    return ngettext(
        "After an exception or a timeout it is run again once, after %(pause)s.",
        "After an exception or a timeout it is run again up to %(num)s times, the first time after"
        " %(pause)s.",
        options.retries,
        pause=formats.duration(options.backoff),
    )
