"""Sentences on the memory of a pool and on what a size would mean, in the reader's language."""

from collections.abc import Iterator
from typing import Final

from pooldeck.kinds import KINDS
from pooldeck_server.domain.pools.memory import PoolMemory
from pooldeck_server.domain.pools.sizes import Effect
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later

_HARDLY: Final = 0.001  # seconds
_FITS: Final = {
    "fits": later("which fits"),
    "tight": later("which is tight"),
    "over": later("which is more than there is: workers would be killed"),
}


def needed_words(memory: PoolMemory, size: int) -> Iterator[str]:
    """Yield what a size would need, and whether there is as much."""
    needed, one = memory.needed(size), memory.per_worker
    if needed is None or one is None:
        return
    total, each = formats.size(needed), formats.size(one)
    if memory.available is None:
        yield _("About %(total)s of memory.", total=total)
    else:
        yield _(
            "About %(total)s of %(available)s of memory; with the %(others)s of the rest that is"
            " %(share)s, %(verdict)s.",
            total=total,
            available=formats.size(memory.available),
            others=formats.size(memory.others),
            share=formats.share((needed + memory.others) / memory.available),
            verdict=_(_FITS[memory.fits(size) or "fits"]),
        )
    if KINDS[memory.kind].is_alone:
        yield _("That is %(one)s for each worker, the most that one of them has held.", one=each)
    bound = memory.bound(size)
    if bound is not None and KINDS[memory.kind].is_alone:
        yield _(
            "Before they are killed at one and a half times their limit, they can take %(bound)s.",
            bound=formats.size(bound),
        )


def effect_words(effect: Effect | None) -> Iterator[str]:
    """Yield what throughput and which waits to expect of a size."""
    if effect is None:
        yield _("What it would get through cannot be said: nothing was measured in the last hour.")
        return
    yield _(
        "Up to %(capacity)s tasks a second, and %(wait)s when most comes.",
        capacity=formats.rate(effect.capacity),
        wait=_("a queue that grows")
        if effect.wait is None
        else _("hardly a wait")
        if effect.wait < _HARDLY
        else _("a mean wait of %(wait)s", wait=formats.duration(round(effect.wait, 4))),
    )
