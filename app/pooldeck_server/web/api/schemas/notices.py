"""What needs attention as the API shows it."""

from typing import Annotated, Self

from msgspec import Meta, Struct

from pooldeck_server.domain.notices import SeenNotice, Severity
from pooldeck_server.web.api.schemas.types import Timestamp, timestamp
from pooldeck_server.web.text.notices import NoticeText


class NoticeSight(Struct, frozen=True):
    """Who has said to have seen a notice, and when."""

    by: str
    at: Timestamp

    @classmethod
    def of(cls, seen: SeenNotice) -> Self:
        return cls(seen.by, timestamp(seen.at))


class ShownNotice(Struct, frozen=True):
    """Something that needs attention: `subject` and `text` are one sentence.

    `key` names the matter as long as it lasts (empty where nobody can say to have seen it), and
    `kind` the mark that pages show. `href` is the page where it is mended, and `left` the seconds
    of a countdown. `seen` is null where nobody has said to have seen it, or it is worse since.
    """

    key: Annotated[str, Meta(examples=["paused:cpu"])]
    severity: Severity
    kind: str
    subject: str
    text: str
    href: str
    left: float | None
    seen: NoticeSight | None

    @classmethod
    def of(cls, text: NoticeText) -> Self:
        return cls(
            key=text.key,
            severity=text.severity,
            kind=text.kind,
            subject=text.subject,
            text=text.text,
            href=text.href,
            left=text.left,
            seen=NoticeSight.of(text.seen) if text.seen else None,
        )


class NoticeList(Struct, frozen=True):
    """All that needs attention, the worst first."""

    items: list[ShownNotice]
