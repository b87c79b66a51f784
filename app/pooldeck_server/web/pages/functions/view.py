"""The page of one function: what it is, its numbers, its latest runs."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlencode

from pooldeck.docstrings import without_arguments
from pooldeck.functions import Options
from pooldeck.kinds import PoolKind
from pooldeck.needs import in_words
from pooldeck_server.advice import Advice
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.functions.placements import AUTO, Placement, PlacementRule
from pooldeck_server.domain.measurements.figures import Durations
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.functions.advice import ShownAdvice, shown
from pooldeck_server.web.pages.functions.data import FunctionData
from pooldeck_server.web.pages.functions.evidence import EvidenceTable, evidence
from pooldeck_server.web.pages.functions.form import FunctionForm
from pooldeck_server.web.pages.functions.run_times import ShownRunTimes, shown_run_times
from pooldeck_server.web.pages.shared.address import address
from pooldeck_server.web.pages.shared.flash import FLASHES
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.pages.shared.snippets import Snippets
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, ngettext
from pooldeck_server.web.text.kinds import kind_words
from pooldeck_server.web.text.placement import placement_words
from pooldeck_server.web.text.states import state_word

SignaturePart: TypeAlias = tuple[str, str]
"""What a part is ("name", "type", "default", or "" for what stands between), and its text."""

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+)|(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")|(?P<arrow>->)"""
    r"|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<word>[^\s()\[\]{},:=]+)|(?P<sign>.)",
    re.DOTALL,
)
_TOP: Final = 1  # within the parentheses of the signature, and no others


@dataclass(frozen=True)
class Figure:
    """A number with its name; `href` lists what it counts, where a list can."""

    label: str
    value: str
    href: str | None = None


@dataclass(frozen=True)
class PlacementShown:
    """Why a function is where it is, and the pool that somebody chose for it, "" if nobody did.

    `undone` is where it came back from, until somebody has decided where it is to run.
    """

    words: str
    by_hand: str
    undone: Placement | None


@dataclass(frozen=True)
class FunctionView(Page):
    """A function; `evidence` is what its `advice` rests on, `pools` are the names of all pools.

    `doc` is its docstring, without what the form says beside each field. `snippets` are what its
    form says, where somebody has asked for that.
    """

    template = "functions/function.html"
    section = "functions"
    flashes = FLASHES["function"]

    function: RegisteredFunction
    signature: tuple[SignaturePart, ...]
    doc: str
    hold: Hold | None
    placement: PlacementShown | None
    advice: ShownAdvice | None
    evidence: EvidenceTable | None
    pools: Sequence[str]
    numbers: tuple[Figure, ...]
    run_times: ShownRunTimes
    latest: Sequence[StoredTask]
    options: tuple[str, ...]
    query: str
    form: FunctionForm
    snippets: Snippets | None


def function_view(
    function: RegisteredFunction,
    form: FunctionForm,
    read: FunctionData,
    *,
    pools: Mapping[str, int],
    hold: Hold | None,
    advice: Advice | None,
    profiles: Mapping[PoolKind, Profile],
    snippets: Snippets | None = None,
) -> FunctionView:
    spec = function.spec
    own: Counter[State] = Counter()
    for count in read.counts:
        if count.function == spec.name:
            own[count.state] += count.n
    return FunctionView(
        function=function,
        signature=tuple(signature_parts(spec.signature)),
        doc=spec.doc if function.problem else without_arguments(spec.doc),
        hold=hold,
        placement=_placement(function),
        advice=shown(advice, pools) if advice else None,
        evidence=evidence(profiles),
        pools=list(pools),
        numbers=(*_by_state(spec.name, own), *_usual(read.durations)),
        run_times=shown_run_times(read.run_times, spec.name),
        latest=read.latest,
        options=(*_options(spec.options), *_word(spec.options)),
        query=urlencode({"function": spec.name}),
        form=form,
        snippets=snippets,
    )


def _placement(function: RegisteredFunction) -> PlacementShown | None:
    """Return why a function is where it is; None where it names its pool itself."""
    placement = function.placement
    if placement is None:
        return None
    by_hand = placement.pool if placement.rule is PlacementRule.BY_HAND else ""
    undone = placement if placement.is_undone_for(function.spec.code) else None
    return PlacementShown(placement_words(placement), by_hand, undone)


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
        yield Figure(_("Wait p50"), formats.duration(durations.wait.p50))
        yield Figure(_("Wait p95"), formats.duration(durations.wait.p95))
    if durations.run is not None:
        yield Figure(_("Run p50"), formats.duration(durations.run.p50))
        yield Figure(_("Run p95"), formats.duration(durations.run.p95))


def _options(options: Options) -> Iterable[str]:
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
    if options.needs:
        yield _(
            "Of the machine that it runs on it needs for itself: %(needs)s.",
            needs=in_words(options.needs),
        )
    if options.sensitive:
        names = ", ".join(options.sensitive)
        yield _("Hidden everywhere, and erased when a task is final: %(names)s.", names=names)


def _word(options: Options) -> Iterator[str]:
    """Yield what its owner says of moving it."""
    kinds = _(" or ").join(kind_words(kind).many for kind in options.safe_in)
    if kinds and options.pool == AUTO:
        yield _(
            "Its owner says that it may be moved to %(kinds)s by measurements (safe_in).",
            kinds=kinds,
        )
    elif kinds:
        yield _(
            "Its owner says that it may be moved to %(kinds)s by measurements (safe_in), which "
            "does not count as long as it names its pool.",
            kinds=kinds,
        )
    elif options.pool == AUTO:
        yield _("No measurement moves it: its owner does not say that it may be (safe_in).")


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


def signature_parts(signature: str) -> Iterator[SignaturePart]:
    depth, kind = 0, "name"
    for token in _TOKEN.finditer(signature):
        depth += (token.lastgroup in {"open", "arrow"}) - (token.lastgroup == "close")
        if token.lastgroup == "arrow" or (depth <= _TOP and token[0] in {",", ":", "="}):
            kind = {",": "name", ":": "type", "=": "default"}.get(token[0], "type")
            yield "", token[0]
        elif token.lastgroup == "space" or (depth <= _TOP and token[0] in {"(", ")", "*", "/"}):
            yield "", token[0]
        else:
            yield kind, token[0]
