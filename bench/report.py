"""What was found, as JSON and as Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from bench.documents import table
from bench.figures import Figure, short

_HEAD: Final = ("figure", "measured", "rounds", "wanted", "")


def as_json(found_on: Mapping[str, str], figures: Sequence[Figure]) -> bytes:
    """Return the figures, with the machine that they hold for, as JSON with line breaks."""
    report = {"machine": found_on, "figures": figures}
    return msgspec.json.format(msgspec.json.encode(report)) + b"\n"


def as_markdown(found_on: Mapping[str, str], figures: Sequence[Figure]) -> str:
    """Return the figures as a table, with the machine that they hold for below it."""
    return f"{table(_HEAD, map(tuple, map(_cells, figures)))}\n\n{', '.join(found_on.values())}"


def _cells(figure: Figure) -> Iterator[str]:
    name = figure.name.strip()
    yield f"— {name}" if figure.name.startswith(" ") else name
    yield f"{short(figure.value)} {figure.unit}".strip()
    several = len(figure.rounds) > 1
    yield f"{short(min(figure.rounds))} to {short(max(figure.rounds))}" if several else ""
    yield figure.wanted
    yield "" if not figure.wanted else "met" if figure.is_met else "missed"
