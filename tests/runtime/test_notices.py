"""What is said to need attention, and what is not."""

import pytest
from msgspec.structs import replace

from app.domain.controls import Hold
from app.domain.health import SlotHealth, WorkerHealth
from app.runtime.notices import abandoned, on_hold, starvation

WORKER = WorkerHealth(
    id="cpu-1", pid=1, state="busy", started_at=None, tasks_done=0, slots=(SlotHealth(),)
)


def worker(*elapsed: float | None) -> WorkerHealth:
    """Return a worker whose slots have been busy for so many seconds; None is a free one."""
    slots = [
        SlotHealth() if seconds is None else SlotHealth(task="t", elapsed=seconds)
        for seconds in elapsed
    ]
    return replace(WORKER, slots=tuple(slots))


def test_a_pool_in_which_nothing_ends_while_something_waits_is_named() -> None:
    words = starvation((worker(300), worker(14)), size=2, waiting=3)

    assert words is not None
    assert words.startswith(
        "starvation: all 2 slots have been busy for over 10 s while tasks wait;"
    )


@pytest.mark.parametrize(
    ("seconds", "span"),
    [(10, "10 s"), (59, "10 s"), (60, "a minute"), (3599, "a minute"), (3600, "an hour")],
)
def test_the_words_for_starvation_rarely_change(seconds: float, span: str) -> None:
    words = {starvation((worker(seconds),), size=1, waiting=waiting) for waiting in (1, 2, 300)}

    assert len(words) == 1
    assert f"for over {span} while" in (words.pop() or "")


def test_a_pool_of_one_slot_is_named_in_the_singular() -> None:
    words = starvation((worker(20),), size=1, waiting=1)

    assert words is not None
    assert "its only slot has been busy for over 10 s while tasks wait" in words


def test_a_pool_does_not_starve_while_something_ends() -> None:
    assert starvation((worker(300), worker(9)), size=2, waiting=3) is None


def test_a_pool_does_not_starve_while_a_slot_is_free() -> None:
    assert starvation((worker(300, None),), size=2, waiting=3) is None


def test_a_pool_does_not_starve_while_nothing_waits() -> None:
    assert starvation((worker(300),), size=1, waiting=0) is None


def test_an_abandoned_thread_is_no_slot() -> None:
    left = SlotHealth(task="old", elapsed=400, abandoned=True)
    crowded = replace(WORKER, slots=(SlotHealth(), left, left))

    assert starvation((crowded,), size=1, waiting=1) is None
    assert list(abandoned((WORKER, crowded))) == [
        "2 abandoned threads in cpu-1: their tasks are over, but they run on until they end"
    ]


def test_a_hold_says_why_and_what_to_do() -> None:
    hold = Hold("acme.f", since=0, deaths=5, reason="5 workers died under acme.f")

    assert on_hold(hold) == (
        "tasks of acme.f wait, since 5 workers died under acme.f: release it when it is mended"
    )
