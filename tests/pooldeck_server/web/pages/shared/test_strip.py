"""The strip of numbers on top of every page."""

from msgspec.structs import replace

from pooldeck_server.domain.frames import EndsWindow, Frame
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.pages.shared.strip import strip
from pooldeck_server.web.text.i18n import speaking

FRAME = Frame(
    seq=1,
    at=0,
    counts={State.RUNNING: 12, State.QUEUED: 1340},
    window=EndsWindow(3600, succeeded=48112, failed=17),
    throughput=0.0,
    oldest_wait=4.2,
    pools=(),
    changed=(),
    incidents=3,
)


def test_each_number_leads_to_the_list_that_it_counts() -> None:
    shown = strip(FRAME)
    assert [(number.label, number.value, number.href) for number in shown.present] == [
        ("running", "12", "/tasks?state=running"),
        ("queued", "1,340", "/tasks?state=queued"),
        ("scheduled", "0", "/tasks?state=scheduled"),
    ]
    assert [(number.label, number.value, number.href) for number in shown.ended] == [
        ("ok", "48,112", "/tasks?state=succeeded&since=1h"),
        ("failed", "17", "/tasks?state=failed&since=1h"),
        ("lost", "0", "/tasks?state=lost&since=1h"),
    ]
    assert (shown.incidents.value, shown.incidents.href) == ("3", "/incidents")
    assert shown.window == "in the last hour"


def test_zeros_are_marked_so_that_they_can_stand_back() -> None:
    shown = strip(FRAME)
    assert [number.is_zero for number in shown.present] == [False, False, True]
    assert strip(replace(FRAME, incidents=0)).incidents.is_zero


def test_the_oldest_wait_is_a_duration_that_the_browser_counts_on() -> None:
    assert (strip(FRAME).oldest_wait, strip(FRAME).elapsed) == ("4.2 s", 4.2)
    assert strip(replace(FRAME, oldest_wait=None)).oldest_wait == "\N{EN DASH}"


def test_its_words_are_those_of_the_reader() -> None:
    with speaking("zh-Hans"):
        assert [number.label for number in strip(FRAME).present] == ["运行中", "排队中", "已计划"]
