"""The numbers behind an advice: a row for each, a column for each kind of pool that it ran in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pooldeck.kinds import KINDS, PoolKind
from pooldeck_server.advice.numbers import numbers_of
from pooldeck_server.domain.measurements.profiles import Profile
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later
from pooldeck_server.web.text.kinds import kind_words


@dataclass(frozen=True)
class EvidenceTable:
    """A table: its heads, and rows of a label with a cell for each head."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


def evidence(profiles: Mapping[PoolKind, Profile]) -> EvidenceTable | None:
    known = [kind for kind in KINDS if kind in profiles]
    if not known:
        return None
    numbers = [numbers_of({kind: profiles[kind]}) for kind in known]
    return EvidenceTable(
        heads=tuple(kind_words(kind).inside for kind in known),
        rows=tuple(
            (_(label), tuple(worded(getattr(each, name)) for each in numbers))
            for label, name, worded in _ROWS
        ),
    )


def _bytes(number: float | None) -> str:
    return formats.size(None if number is None else max(0, round(number)))


_ROWS: Final[tuple[tuple[str, str, Callable[[Any], str]], ...]] = (
    (later("Runs so far"), "runs_ever", formats.count),
    (later("Wall time, with what ran beside it"), "wall", formats.duration),
    (later("Time with nothing beside it"), "alone", formats.duration),
    (later("CPU time"), "cpu", formats.duration),
    (later("CPU time that needs the GIL"), "gil", formats.duration),
    (later("Waiting"), "waiting", formats.duration),
    (later("CPU time of child processes"), "child_cpu", formats.duration),
    (later("CPU time of other threads"), "helper_cpu", formats.duration),
    (later("Reading the arguments"), "decode", formats.duration),
    (later("Writing the result"), "encode", formats.duration),
    (later("Size of the arguments"), "arguments_bytes", _bytes),
    (later("Size of the result"), "result_bytes", _bytes),
    (later("Growth of memory"), "memory_growth_bytes", _bytes),
    (later("Context switches, waited"), "voluntary_switches", formats.rate),
    (later("Context switches, pushed out"), "involuntary_switches", formats.rate),
    (later("Other calls in the process"), "beside", formats.rate),
    (later("Looks of the probe at its threads"), "looks", formats.rate),
    (later("Spread of the wall time"), "spread", formats.share),
    (later("Wall time lately, of that before"), "trend", formats.share),
)
"""The label of each row, the field of `Numbers` that it shows, and how that is worded."""
