"""What needs attention: the notices above every page, and the story of a start."""

import re
from typing import Any

import pytest
from msgspec.structs import replace

from pooldeck.kinds import PoolKind
from pooldeck_server.domain.frames import EndsWindow, Frame
from pooldeck_server.domain.notices import Need, Notice, SeenNotice
from pooldeck_server.domain.pools.controls import CutOffTask, Hold, HoldKind, ServerRun, StartReport
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.domain.readiness import Readiness
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.live.notices import of_frame
from pooldeck_server.web.pages.deck.view import story
from pooldeck_server.web.text.i18n import speaking
from pooldeck_server.web.text.notice_words import span
from pooldeck_server.web.text.notices import NoticeText, in_english, notice_text, notices

DAY = 24 * 3600 * 1_000_000


def pool(*found: Notice, **changes: Any) -> PoolHealth:
    health = PoolHealth(
        "cpu", PoolKind.PROCESS, 2, "running", None, 0, 0, None, 0, (), notices=found
    )
    return replace(health, **changes)


def said(
    *pools: PoolHealth,
    state: Readiness = Readiness.READY,
    holds: tuple[Hold, ...] = (),
    server: tuple[Notice, ...] = (),
) -> list[NoticeText]:
    frame = Frame(1, 0, {}, EndsWindow(3600), 0.0, None, pools, (), notices=server)
    return list(notices(frame, of_frame(frame, holds), state, SeenBy({})))


class SeenBy:
    """Who has seen which notice, by its key."""

    def __init__(self, seen: dict[str, SeenNotice]) -> None:
        self.seen = seen

    def of(self, notice: Notice) -> SeenNotice | None:
        return self.seen.get(notice.key)


def test_the_worst_comes_first_and_each_says_what_can_be_done() -> None:
    hold = Hold("acme.render", 0, 5, "…", cause="exited with code 3", within=600.0)
    found = said(
        pool(Notice(Need.PAUSED, "cpu"), Notice(Need.MISPLACED, "cpu", function="acme.f")),
        holds=(hold,),
    )
    assert [each.severity for each in found] == ["critical", "warning", "note"]
    worst, paused, _ = found
    assert [(deed.label, deed.href, deed.is_post) for deed in worst.deeds] == [
        ("Release", "/functions/acme.render/release", True),
        ("Look at its incidents", "/incidents?function=acme.render", False),
    ]
    assert [(deed.href, deed.is_post) for deed in paused.deeds] == [("/pools/cpu/resume", True)]
    assert "5 workers died under it within 10 min;" in worst.text


def test_every_need_leads_somewhere_in_both_languages() -> None:
    for language in ("en", "zh-Hans"):
        with speaking(language):
            for need in Need:
                notice = Notice(need, "cpu", 61.0, function="acme.f", target="io", reason="why")
                words = notice_text(notice)
                assert words.href.startswith("/")
                assert all(deed.label and deed.href.startswith("/") for deed in words.deeds), need


def test_a_function_that_somebody_paused_says_by_whom_and_why_and_is_no_crash() -> None:
    hold = Hold("acme.render", 0, 0, "vendor is down", HoldKind.PAUSE, by="ann")
    (notice,) = said(holds=(hold,))
    assert (notice.kind, notice.severity) == ("paused", "warning")
    assert notice.text.startswith("is paused by ann: vendor is down. Its tasks wait")
    (held,) = said(holds=(replace(hold, kind=HoldKind.HAND, reason=""),))
    assert held.severity == "warning"
    assert held.text.startswith("was put on hold by ann, who gave no reason.")


def test_why_a_function_is_on_hold_and_a_pool_is_broken_is_said_in_chinese() -> None:
    hold = Hold("acme.f", 0, 3, "3 workers died …", cause="killed by SIGSEGV", within=600.0)
    reason = "a worker exited with code 3 before it was ready"
    with speaking("zh-Hans"):
        (held, broken) = said(pool(Notice(Need.BROKEN, "cpu", reason=reason)), holds=(hold,))[::-1]
    assert "SIGSEGV" in held.text
    assert "3" in broken.text
    for words in (held.text, broken.text):
        assert not re.search(r"worker|died|ready|exited|killed", words), words


def test_nothing_is_said_where_all_is_well() -> None:
    assert said(pool(), pool(name="io", kind="thread")) == []


@pytest.mark.parametrize("state", [Readiness.STARTING, Readiness.DRAINING])
def test_a_server_that_is_not_ready_says_so(state: Readiness) -> None:
    (notice,) = said(state=state)
    assert (notice.kind, notice.subject) == (state, "The server")


def test_a_broken_pool_is_noticed_with_the_first_line_of_its_reason() -> None:
    why = "No module named 'torch'\n\nTraceback ..."
    (notice,) = said(pool(name="io"), pool(Notice(Need.BROKEN, "cpu", 61.0, reason=why)))
    assert (notice.kind, notice.subject, notice.href) == ("broken", "cpu", "/pools#cpu")
    assert notice.text == "is broken, for over a minute now: No module named 'torch'"


@pytest.mark.parametrize("need", [Need.PAUSED, Need.DRAINING, Need.STOPPED])
def test_a_pool_that_hands_nothing_out_is_noticed(need: Need) -> None:
    (notice,) = said(pool(Notice(need, "cpu")))
    assert (notice.kind, notice.subject) == (need.value, "cpu")
    assert notice.text.startswith(f"is {need}: ")


def test_starvation_says_what_it_may_be_and_what_to_do() -> None:
    words = notice_text(Notice(Need.STARVATION, "cpu", 12.0, 4))
    assert words.text.startswith("starves: all 4 slots have been busy for over 10 s while")
    assert "its only slot has" in notice_text(Notice(Need.STARVATION, "cpu", 12.0, 1)).text
    assert words.href == "/pools#cpu"


def test_a_stuck_task_is_named_and_leads_to_its_page() -> None:
    stuck = Notice(
        Need.STUCK, "cpu", 70.0, worker="cpu-3", task="0199", function="acme.jobs.render", usual=1.4
    )
    words = notice_text(stuck)
    assert (words.subject, words.href) == ("render", "/tasks/0199")
    assert "in cpu-3 has been running for over a minute; 19 of 20 take at most 1.4 s" in words.text
    assert "past its timeout" in notice_text(replace(stuck, usual=None)).text


def test_many_stuck_tasks_lead_to_the_list_of_them() -> None:
    words = notice_text(Notice(Need.STUCK, "cpu", 70.0, 1200))
    assert (words.subject, words.href) == ("cpu", "/tasks?state=running&pool=cpu")
    assert "has 1,200 tasks" in words.text


def test_abandoned_threads_say_that_they_run_on() -> None:
    words = notice_text(Notice(Need.ABANDONED, "io", 5.0, 2, worker="io-1"))
    assert (words.kind, words.subject) == ("abandoned", "io-1")
    assert words.text.startswith("has 2 abandoned threads: their tasks are over")


def test_a_hold_is_said_once_and_leads_to_where_it_is_released() -> None:
    hold = Hold("acme.render", 0, 5, "5 workers died under acme.render")
    held = Notice(Need.HOLD, "cpu", 60.0, function="acme.render", reason=hold.reason)
    (notice,) = said(pool(held), holds=(hold,))
    assert (notice.kind, notice.href) == ("hold", "/functions/acme.render")
    assert "5 workers died" in notice.text
    (homeless,) = said(pool(), holds=(hold,))
    assert homeless.subject == "acme.render"


def test_the_database_is_noticed_before_the_pools() -> None:
    found = said(pool(Notice(Need.PAUSED, "cpu")), server=(Notice(Need.SLOW_WRITES, seconds=2.4),))
    assert [each.subject for each in found] == ["The database", "cpu"]
    assert "a commit takes more than 2 s" in found[0].text
    refused = notice_text(Notice(Need.REFUSED_WRITES, reason="no space is left"))
    assert refused.text.startswith("does not take writes: no space is left.")


@pytest.mark.parametrize(
    ("need", "what", "to_do"),
    [
        (Need.MISSING_DATABASE, "is gone", "Put the same file back. Or stop the server"),
        (Need.REPLACED_DATABASE, "was replaced", "Stop the server and start it again"),
        (Need.TAKEN_DATABASE, "is used by another server (process 17)", "stop it"),
    ],
)
def test_a_database_whose_files_were_touched_says_which_what_befell_it_and_what_to_do(
    need: Need, what: str, to_do: str
) -> None:
    words = notice_text(Notice(need, reason="17", file="/data/pooldeck.sqlite3"))
    assert (words.kind, words.subject) == ("broken", "The database")
    assert words.text.startswith(what)
    assert "/data/pooldeck.sqlite3" in words.text
    assert to_do in words.text


def test_an_error_that_is_back_leads_to_its_group() -> None:
    words = notice_text(Notice(Need.RETURNED, seconds=700.0, reason="ValueError", group="ab12"))
    assert (words.subject, words.href) == ("ValueError", "/errors/ab12")
    assert words.text.startswith("is back, for over 10 minutes now")
    assert notice_text(Notice(Need.RETURNED, number=3)).href.startswith("/errors?")


def test_a_misplaced_function_leads_to_its_advice_and_several_to_their_list() -> None:
    one = Notice(Need.MISPLACED, "io", function="acme.jobs.render", target="cpu", gain=2.74)
    words = notice_text(one)
    assert (words.kind, words.subject) == ("advice", "render")
    assert words.href == "/functions/acme.jobs.render#advice"
    assert words.text == "would do better in cpu than in io: 2.5 times as fast."
    assert "another kind of pool than io" in notice_text(replace(one, target=None)).text
    several = notice_text(Notice(Need.MISPLACED, number=3, gain=16.6))
    assert (several.subject, several.href) == ("3 functions", "/#misplaced")
    assert several.text.endswith("up to 16 times as fast.")


def test_every_need_has_words_for_one_and_for_many() -> None:
    for need in Need:
        for number in (1, 2):
            words = notice_text(Notice(need, "cpu", 3700.0, number, function="f", reason="so"))
            assert words.text
            assert "%(" not in words.text


def test_the_api_says_it_in_english_a_line_for_each_and_leaves_out_what_the_state_says() -> None:
    found = (
        Notice(Need.PAUSED, "io"),
        Notice(Need.ABANDONED, "io", None, 1, worker="io-1"),
        Notice(Need.STUCK, "io", 80.0, 2),
    )
    with speaking("zh-Hans"):
        lines = (in_english(found) or "").splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["abandoned:", "stuck:"]
    assert lines[0].startswith("abandoned: io-1 has 1 abandoned thread")
    assert in_english(found[:1]) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (None, ""),
        (9.9, ""),
        (10, "for over 10 s"),
        (299, "for over a minute"),
        (599, "for over 5 minutes"),
        (600, "for over 10 minutes"),
        (3600, "for over an hour"),
        (9e5, "for over a day"),
    ],
)
def test_a_span_changes_its_words_rarely(seconds: float | None, words: str) -> None:
    assert span(seconds) == words


# The story of a start.


def run(**found: Any) -> ServerRun:
    report = StartReport(**{"was_clean": False, "down_seconds": 12.0} | found)
    return ServerRun("b", 1, DAY, report=report)


def test_a_start_after_a_crash_tells_what_it_found_and_where_that_is_listed() -> None:
    notice_text = story(run(queued=1340, scheduled=1, rerun=2, lost=8, reaped=1), DAY)
    words = " ".join(text for text, _href in notice_text)
    assert words.startswith("The server was cut off and started again after 12 s. 1,340 queued")
    for part in ("1 scheduled task was", "2 tasks under way are", "8 tasks", "1 process left"):
        assert part in words
    assert [href for _text, href in notice_text if href] == [
        "/tasks?state=queued",
        "/tasks?state=scheduled",
        "/tasks?state=lost&error=interrupted",
    ]


def test_what_was_not_found_is_not_told() -> None:
    assert len(story(run(), DAY)) == 1


def test_a_start_after_an_end_that_cut_tasks_off_tells_of_these_and_leads_to_them() -> None:
    tasks = (
        CutOffTask("a", "jobs.nap", State.LOST),
        CutOffTask("b", "jobs.add", State.QUEUED),
    )
    told = story(run(was_clean=True, queued=9, lost=1, rerun=1, cut_off=tasks), DAY)
    words = " ".join(text for text, _href in told)
    assert words.startswith("The server was stopped while tasks ran, and started again after 12 s.")
    assert "9 queued" not in words
    assert "1 task under way was lost." in words
    assert ("jobs.nap was lost.", "/tasks/a") in told
    assert ("jobs.add is run again.", "/tasks/b") in told


def test_a_clean_start_and_an_old_one_have_no_story() -> None:
    assert story(run(was_clean=True, queued=3), DAY) == ()
    assert story(run(lost=3), 2 * DAY + 1) == ()
    assert story(ServerRun("b", 1, DAY), DAY) == ()


def test_an_undone_move_says_why_and_leads_to_where_it_is_decided() -> None:
    undone = Notice(
        Need.UNDONE, "cpu", function="acme.jobs.ring", reason="ValueError: no", target="io"
    )
    words = notice_text(undone)
    assert (words.subject, words.href) == ("ring", "/functions/acme.jobs.ring#undone")
    assert words.text == (
        "went back from io to cpu: it failed there as it never had before (ValueError: no). Decide "
        "where it is to run."
    )


@pytest.mark.parametrize(
    ("risks", "words"),
    [
        (0, "times as fast."),
        (1, "But its code does something that may not work there."),
        (3, "But its code does 3 things that may not work there."),
    ],
)
def test_a_notice_of_an_advice_says_whether_something_is_seen_against_it(
    risks: int, words: str
) -> None:
    advised = Notice(Need.MISPLACED, "cpu", function="acme.f", target="io", gain=4.0, risks=risks)
    assert notice_text(advised).text.endswith(words)
