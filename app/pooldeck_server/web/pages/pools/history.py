"""What was done to a pool and what befell it, as a list: when, what, and why."""

from collections.abc import Iterable
from dataclasses import dataclass

from msgspec.structs import replace

from pooldeck_server.domain.pools.annotations import Kind, StoredAnnotation
from pooldeck_server.web.text.annotations import annotation_words


@dataclass(frozen=True)
class Deed:
    """Something that was done or happened: when, in words, why, and where more is told."""

    at: int  # microseconds since the epoch
    kind: Kind
    words: str
    reason: str | None
    href: str | None


def deeds(annotations: Iterable[StoredAnnotation]) -> tuple[Deed, ...]:
    """Return annotations in words, in their order; the page names the pool, so they do not."""
    return tuple(
        Deed(
            at=each.at,
            kind=each.kind,
            words=annotation_words(replace(each, pool=None, reason=None)),
            reason=each.reason,
            href=each.href,
        )
        for each in annotations
    )
