"""A drain in words, for pages in two languages."""

import pytest

from pooldeck_server.domain.drains import Drained
from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.pools.controls import ServerRun, StartReport
from pooldeck_server.domain.pools.starts import in_words
from pooldeck_server.web.pages.deck.view import story
from pooldeck_server.web.text.drain import coarsely
from pooldeck_server.web.text.i18n import speaking
from pooldeck_server.web.text.notices import notice_text

DAY = 86_400_000_000


def notice(**known: object) -> Notice:
    return Notice(Need.SERVER_DRAIN, by="ada", **known)  # type: ignore[arg-type]


def test_a_notice_says_by_whom_why_what_runs_and_what_comes_then() -> None:
    told = notice_text(notice(reason="new disk", number=2, usual=65.0, left=90.0, stops=True))
    assert (told.subject, told.href, told.left) == ("The server", "/drain", 90.0)
    for words in (
        "drained by ada (new disk)",
        "2 tasks still run.",
        "up to 2 min more",
        "ends after that, or when its time is over",
    ):
        assert words in told.text


def test_what_is_not_known_is_left_out_and_a_done_one_says_so() -> None:
    told = notice_text(notice(number=0))
    assert told.left is None
    assert "Nothing runs any more. What waits goes on when somebody resumes it." in told.text
    queued = notice_text(notice(number=1, waiting=3)).text
    assert "1 task still runs. 3 more are queued and run first." in queued
    assert "usual" not in queued


def test_it_is_said_in_chinese_too() -> None:
    with speaking("zh-Hans"):
        assert "ada" in notice_text(notice(number=2, reason="x")).text
        assert notice_text(notice(number=2)).subject == "服务器"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "10 s"), (11, "20 s"), (60, "60 s"), (61, "2 min"), (3600, "60 min"), (3601, "2 h")],
)
def test_times_change_their_words_rarely(seconds: float, words: str) -> None:
    assert coarsely(seconds) == words


def test_the_next_start_tells_who_drained_the_server_and_why() -> None:
    report = StartReport(was_clean=True, down_seconds=12.0, drained=Drained("ada", "new disk"))
    assert "ended in order 12 s ago, drained by ada (new disk)" in in_words(report)
    [(words, _)] = story(ServerRun("b", 1, DAY, report=report), DAY)
    assert words.startswith("The server was drained by ada (new disk), stopped, and started again")
