"""What was found, as tables for a document."""

from collections import Counter
from collections.abc import Iterable, Sequence

from bench.choosing.cases import Case
from bench.choosing.gains import Rates
from bench.choosing.mixed import Mixed
from bench.choosing.verdicts import WAYS, Verdict
from bench.documents import table


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
    return table(head, rows) + f"\n\n{_score(list(said.values()))}"


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
    kinds = sum(verdict.is_kind_right for verdict in verdicts)
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
    return table(["", *rounds, "as long as advised"], rows)


def _seconds(values: Iterable[float]) -> list[str]:
    return [f"{value:.2f} s" for value in values]
