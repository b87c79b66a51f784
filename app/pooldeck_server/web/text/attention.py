"""What needs attention, in words, above every page."""

from collections.abc import Iterator, Sequence

from pooldeck_server.domain.frames import Frame
from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.pools.controls import Hold
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.notices import NoticeText, notice_text


def notices(frame: Frame, server_state: str, holds: Sequence[Hold]) -> tuple[NoticeText, ...]:
    """Return what needs attention.

    Args:
        frame: The live picture.
        server_state: "starting", "ready" or "draining".
        holds: The functions on hold.
    """
    in_pools = [notice for pool in frame.pools for notice in pool.notices]
    said = {notice.function for notice in in_pools if notice.need is Need.HOLD}
    homeless = [_hold(hold) for hold in holds if hold.function not in said]
    return (
        *_server_notices(server_state),
        *(notice_text(notice) for notice in (*frame.notices, *in_pools, *homeless)),
    )


def _hold(hold: Hold) -> Notice:
    """Return the notice for a hold on a function that no pool runs any more."""
    return Notice(Need.HOLD, function=hold.function, reason=hold.reason)


def _server_notices(state: str) -> Iterator[NoticeText]:
    server = _("The server")
    if state == "starting":
        words = _("is starting: submissions are taken as soon as the first worker is ready.")
        yield NoticeText(state, server, words, "/pools")
    elif state == "draining":
        words = _("is shutting down: it takes no new tasks and finishes those that run.")
        yield NoticeText(state, server, words, "/pools")
