"""What needs attention, as every page has it: counts by severity, then each notice with its deeds.

What somebody has seen folds away; it is counted as seen until it ends, or gets worse.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pooldeck_server.domain.frames import Frame
from pooldeck_server.domain.notices import Severity
from pooldeck_server.runtime.server import Server
from pooldeck_server.web.text.i18n import ngettext
from pooldeck_server.web.text.notices import NoticeText, notices


@dataclass(frozen=True)
class Attention:
    """Notices that nobody has seen, and those that somebody has.

    `counts` are the severities that there are, with how many in words. `critical` is how many
    critical ones nobody has seen; `is_critical` tells whether there is any at all.
    Its forms lead back to `page`, on which the notices are unfolded or one line.
    """

    items: Sequence[NoticeText]
    seen: Sequence[NoticeText]
    counts: Sequence[tuple[Severity, str]]
    critical: int
    is_critical: bool
    page: str = "/"
    is_unfolded: bool = False


def attention(server: Server, frame: Frame, page: str, *, is_unfolded: bool = False) -> Attention:
    """Return what needs attention in a picture that is shown, as `page` has it."""
    found = notices(frame, server.notices(frame), server.readiness, server.seen_notices)
    return replace(attention_to(found), page=page, is_unfolded=is_unfolded)


def attention_to(found: Sequence[NoticeText]) -> Attention:
    """Return notices, which come the worst first, as pages have them."""
    items = [each for each in found if each.seen is None]
    numbers = Counter(each.severity for each in items)
    return Attention(
        items=items,
        seen=[each for each in found if each.seen is not None],
        counts=[(each, _counted(each, numbers[each])) for each in Severity if numbers[each]],
        critical=numbers[Severity.CRITICAL],
        is_critical=any(each.severity is Severity.CRITICAL for each in found),
    )


def _counted(severity: Severity, number: int) -> str:
    match severity:
        case Severity.CRITICAL:
            return ngettext("%(num)s critical", "%(num)s critical", number)
        case Severity.WARNING:
            return ngettext("%(num)s warning", "%(num)s warnings", number)
        case Severity.NOTE:
            return ngettext("%(num)s note", "%(num)s notes", number)
