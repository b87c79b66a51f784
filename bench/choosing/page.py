"""Writes what was found into a document, between `<!-- NAME -->` and `<!-- end -->`, which stay."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from bench.choosing.cases import Case
from bench.choosing.gains import Rates
from bench.choosing.mixed import Mixed
from bench.choosing.verdicts import WAYS, Verdict

_END: Final = "<!-- end -->"


def write(document: Path, name: str, text: str) -> None:
    """Replace what stands between the marks of `name`.

    Raises:
        ValueError: If the document has no such mark, or no end after it.
    """
    mark = f"<!-- {name} -->"
    before, found, rest = document.read_text().partition(mark)
    _, ended, after = rest.partition(_END)
    if not (found and ended):
        raise ValueError(f"{document} has nothing between {mark} and {_END}")
    document.write_text(f"{before}{mark}\n{text.strip()}\n{_END}{after}")


def verdict_table(
    cases: Sequence[Case], verdicts: Iterable[Verdict], rates: Iterable[Rates]
) -> str:
    """Return a row for each case: what is right, what was said in each way, and the gain."""
    said = {(verdict.case.function, verdict.way): verdict for verdict in verdicts}
    measured = {rate.case.function: rate for rate in rates}
    ways = [way.title for way in WAYS]
    head = ["function", "what it does", "right", *ways, "threads", "processes", "gain"]
    rows = [
        _row(case, [said[case.function, way] for way in WAYS], measured[case.function])
        for case in cases
    ]
    return _table(head, rows) + f"\n\n{_score(list(said.values()))}"


def _row(case: Case, verdicts: Sequence[Verdict], rates: Rates) -> list[str]:
    kinds = Counter(verdict.kind for verdict in verdicts if verdict.kind is not None)
    kind = kinds.most_common(1)[0][0] if kinds else None
    return [
        f"`{case.function}`",
        case.nature,
        f"{' or '.join(f'`{verdict}`' for verdict in case.verdicts)} → {case.kind}",
        *map(_cell, verdicts),
        f"{rates.thread:.0f}/s",
        f"{rates.process:.0f}/s",
        "" if kind is None else f"{rates.gain(kind):.2f}",
    ]


def _cell(found: Verdict) -> str:
    if found.is_right:
        return f"right, {found.confidence}"
    return f"**wrong**: `{found.verdict}` → {found.kind}, {found.confidence}"


def _score(verdicts: Sequence[Verdict]) -> str:
    right = sum(verdict.is_right for verdict in verdicts)
    kinds = sum(verdict.kind == verdict.case.kind for verdict in verdicts)
    return (
        f"Right: {right} of {len(verdicts)} verdicts, "
        f"{kinds} of {len(verdicts)} recommended kinds of pool."
    )


def mixed_table(mixed: Mixed) -> str:
    """Return the wall times of the mixed load, and the ratios."""
    rows = [
        ["`ThreadPoolExecutor()`", *_seconds(mixed.thread), f"{mixed.ratio('thread'):.2f}"],
        ["`ProcessPoolExecutor()`", *_seconds(mixed.process), f"{mixed.ratio('process'):.2f}"],
        ["Pooldeck, as advised", *_seconds(mixed.advised), "1"],
    ]
    rounds = [f"round {number}" for number in range(1, len(mixed.advised) + 1)]
    return _table(["", *rounds, "as long as advised"], rows)


def _seconds(values: Iterable[float]) -> list[str]:
    return [f"{value:.2f} s" for value in values]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
