"""What needs attention, as a page has it: counted by severity, with what its reader may do."""

from pooldeck_server.domain.notices import SeenNotice, Severity
from pooldeck_server.web.pages.shared.attention import attention_to
from pooldeck_server.web.text.notices import NoticeText
from tests.pooldeck_server.web.conftest import TOKEN
from tests.support.served import Served


def text(severity: Severity, seen: SeenNotice | None = None) -> NoticeText:
    return NoticeText("notice", "cpu", "…", "/", severity=severity, key="k", seen=seen)


def test_severities_are_counted_of_what_nobody_has_seen() -> None:
    seen = SeenNotice("k", 1, "ann", 0)
    shown = attention_to(
        [
            text(Severity.CRITICAL),
            text(Severity.CRITICAL, seen),
            text(Severity.WARNING),
            text(Severity.WARNING),
        ]
    )
    assert [words for _, words in shown.counts] == ["1 critical", "2 warnings"]
    assert (shown.critical, shown.is_critical, len(shown.seen)) == (1, True, 1)


def test_what_is_critical_stays_so_though_it_was_seen() -> None:
    shown = attention_to([text(Severity.CRITICAL, SeenNotice("k", 1, "ann", 0))])
    assert (shown.critical, shown.is_critical, shown.counts) == (0, True, [])


def test_who_only_looks_has_the_words_of_notices_and_none_of_their_buttons(locked: Served) -> None:
    admin = {"Authorization": f"Bearer {TOKEN}"}
    body = {"name": "looks-on", "role": "viewer"}
    made = locked.http.post("/api/v1/tokens", json=body, headers=admin).json()
    viewer = {"Authorization": f"Bearer {made['secret']}"}
    locked.http.patch("/api/v1/pools/io", json={"paused": True}, headers=admin)
    try:
        for path in ("/notices", "/tasks"):
            whole = locked.http.get(path, headers=admin).text
            part = locked.http.get(path, headers=viewer).text
            assert "waits until somebody resumes it" in whole
            assert "waits until somebody resumes it" in part
            assert ("/notices/seen" in whole, "/notices/seen" in part) == (True, False)
            assert ("/pools/io/resume" in whole, "/pools/io/resume" in part) == (True, False)
        seen = locked.http.post("/api/v1/notices/seen", json={"key": "paused:io"}, headers=viewer)
        assert seen.status_code == 403
    finally:
        locked.http.patch("/api/v1/pools/io", json={"paused": False}, headers=admin)
