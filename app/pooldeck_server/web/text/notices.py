"""Notices of what needs attention, in the reader's language, with the way to where it is mended."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Protocol

from pooldeck_server.domain.frames import Frame
from pooldeck_server.domain.notices import HALTED, Need, Notice, SeenNotice, Severity
from pooldeck_server.domain.readiness import Readiness
from pooldeck_server.domain.terminal_text import plain
from pooldeck_server.web.text.i18n import ENGLISH, _, later, speaking
from pooldeck_server.web.text.i18n import in_english as in_english_words
from pooldeck_server.web.text.notice_deeds import NoticeDeed, deeds
from pooldeck_server.web.text.notice_places import href_of, subject_of
from pooldeck_server.web.text.notice_words import words_of

_MARKS: Final = {
    Need.STARVATION: "notice",
    Need.SHORT_OF_SLOTS: "notice",
    Need.STUCK: "notice",
    Need.OUTGROWN: "notice",
    Need.SLOW_WRITES: "notice",
    Need.RETURNED: "notice",
    Need.MISPLACED: "advice",
    Need.UNDONE: "notice",
    Need.REFUSED_WRITES: "broken",
    Need.MISSING_DATABASE: "broken",
    Need.REPLACED_DATABASE: "broken",
    Need.TAKEN_DATABASE: "broken",
    Need.SERVER_DRAIN: "draining",
    Need.RESTORED: "broken",
    Need.NO_BACKUP: "notice",
    Need.UNDELETED: "notice",
    Need.LOW_DISK: "broken",
    Need.LEAPT_CLOCK: "notice",
    Need.UNTOLD: "notice",
    Need.TURNED_OFF: "notice",
    Need.UNLOGGED: "notice",
    Need.OPEN: "notice",
    Need.NO_NEW_WORKERS: "broken",
    Need.UNSCHEDULABLE: "notice",
    Need.OUTDATED: "notice",
    Need.FAILED_MODULE: "broken",
    Need.PAUSED_FUNCTION: "paused",
    Need.NO_HOST: "broken",
    Need.LOST_CONTACT: "lost",
    Need.REFUSED_HOST: "notice",
}
_SHOWN_BY_STATE: Final = {Need.BROKEN, *HALTED.values()}


@dataclass(frozen=True)
class NoticeText:
    """A notice in words: `subject` is a link to `href`, where more is known or it can be mended.

    `kind` names the mark beside it, and `left` is what a countdown begins with, in seconds. `key`
    names the matter, "" where it cannot be said to be seen; `deeds` are what can be done about it.
    """

    kind: str
    subject: str
    text: str
    href: str
    left: float | None = None
    severity: Severity = Severity.WARNING
    key: str = ""
    deeds: tuple[NoticeDeed, ...] = ()
    seen: SeenNotice | None = None


class Seen(Protocol):
    """Who knows which notices somebody has seen."""

    def of(self, notice: Notice) -> SeenNotice | None: ...


def notices(
    frame: Frame, found: Iterable[Notice], readiness: Readiness, seen: Seen
) -> tuple[NoticeText, ...]:
    """Return what needs attention, in the order of `found`; those that were seen know by whom."""
    texts = (replace(notice_text(notice), seen=seen.of(notice)) for notice in found)
    return (*_server_notices(frame, readiness), *texts)


def _server_notices(frame: Frame, readiness: Readiness) -> Iterator[NoticeText]:
    server = _("The server")
    if readiness is Readiness.STARTING:
        words = _("is starting: submissions are taken as soon as the first worker is ready.")
        yield NoticeText(readiness.value, server, words, "/pools", severity=Severity.WARNING)
    elif readiness is Readiness.DRAINING and not _is_drained(frame):
        words = _("is shutting down: it takes no new tasks and finishes those that run.")
        yield NoticeText(readiness.value, server, words, "/pools", severity=Severity.WARNING)


def _is_drained(frame: Frame) -> bool:
    return any(notice.need is Need.SERVER_DRAIN for notice in frame.notices)


def notice_text(notice: Notice) -> NoticeText:
    kind = _MARKS.get(notice.need, notice.need.value)
    subject, text = plain(subject_of(notice)), plain(words_of(notice))
    return NoticeText(
        kind,
        subject,
        text,
        href_of(notice),
        notice.left,
        severity=notice.severity,
        key=notice.key,
        deeds=deeds(notice),
    )


_SEVERITIES: Final = {
    Severity.CRITICAL: later("critical"),
    Severity.WARNING: later("warning"),
    Severity.NOTE: later("note"),
}


def severity_word(severity: str) -> str:
    return _(_SEVERITIES[Severity(severity)])


def said(notice: Notice) -> str:
    """Return a notice as one sentence: its subject and its words."""
    return f"{plain(subject_of(notice))} {plain(words_of(notice))}"


def said_in_english(notice: Notice) -> str:
    return in_english_words(said, notice)


def in_english(notices: tuple[Notice, ...]) -> str | None:
    """Return what a pool's notices say beyond its state, a line for each, None for nothing."""
    with speaking(ENGLISH):
        lines = [
            f"{each.need}: {subject_of(each)} {words_of(each)}"
            for each in notices
            if each.need not in _SHOWN_BY_STATE
        ]
    return "\n".join(lines) or None
