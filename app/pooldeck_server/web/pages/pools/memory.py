"""The memory of a pool on its page: what it holds of what there is, and who made it grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from pooldeck_server.domain.pools.memory import PoolMemory
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _

_PERCENT: Final = 100.0


@dataclass(frozen=True)
class GrowthRow:
    """A function that made workers grow."""

    function: str
    href: str
    per_run: str
    runs: str
    lately: str


@dataclass(frozen=True)
class ShownMemory:
    """The memory of a pool; `own` and `others` are percents of all there is, for a bar.

    `held` is what its workers hold of the `whole`, `most` the highest that one of them held of its
    `limit`; empty where there is no such bound, or none is known. `verdict` is "fits", "tight" or
    "over", None where it is not known how much there is.
    """

    held: str
    whole: str
    most: str
    limit: str
    own: float
    others: float
    words: str
    verdict: str | None
    growth: Sequence[GrowthRow]


def shown_memory(memory: PoolMemory) -> ShownMemory:
    whole = memory.available
    return ShownMemory(
        held=formats.size(memory.held),
        whole=formats.size(whole) if whole else "",
        most=formats.size(memory.most) if memory.most else formats.NOTHING,
        limit=formats.size(memory.worker_limit) if memory.worker_limit else "",
        own=_percent(memory.held, whole),
        others=_percent(memory.others, whole),
        words=_(
            "%(own)s of %(whole)s are held by this pool, %(others)s by the rest",
            own=formats.size(memory.held),
            whole=formats.size(whole),
            others=formats.size(memory.others),
        ),
        verdict=memory.fits(memory.size),
        growth=[
            GrowthRow(
                function=each.function,
                href=f"/functions/{quote(each.function)}",
                per_run=formats.size(int(each.per_run)),
                runs=formats.count(each.runs),
                lately=formats.size(int(each.lately)),
            )
            for each in memory.growth
        ],
    )


def _percent(part: int, whole: int | None) -> float:
    return round(min(_PERCENT, _PERCENT * part / whole), 1) if whole else 0.0
