"""Kinds of pools in words: whatever the pages call them, in the reader's language."""

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from pooldeck.kinds import PoolKind
from pooldeck_server.web.text.i18n import _, ngettext


class KindWords(Struct, frozen=True):
    """What a kind of pool is called."""

    many: str  # its slots
    title: str  # the same, as the head of a list
    inside: str  # where a function runs
    pool: str
    made_of: str  # what makes up its slots
    default_size: str  # where its size comes from if nobody sets one
    counted: Callable[[int], str]  # so many of its slots


def kind_words(kind: PoolKind) -> KindWords:
    return _WORDS[kind]()


def _thread() -> KindWords:
    return KindWords(
        many=_("threads"),
        title=_("Threads"),
        inside=_("in threads"),
        pool=_("a thread pool"),
        made_of=_("threads in one process"),
        default_size=_("default: four more than the CPUs, at most 32"),
        counted=lambda size: ngettext("%(num)s thread", "%(num)s threads", size),
    )


def _process() -> KindWords:
    return KindWords(
        many=_("processes"),
        title=_("Processes"),
        inside=_("in processes"),
        pool=_("a process pool"),
        made_of=_("a process for each slot"),
        default_size=_("default: as many as there are CPUs"),
        counted=lambda size: ngettext("%(num)s process", "%(num)s processes", size),
    )


_WORDS: Final[Mapping[PoolKind, Callable[[], KindWords]]] = {
    PoolKind.THREAD: _thread,
    PoolKind.PROCESS: _process,
}
