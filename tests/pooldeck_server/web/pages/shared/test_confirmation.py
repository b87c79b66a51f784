"""What pages ask before they change much."""

import pytest
from msgspec.structs import replace
from starlette.datastructures import QueryParams

from pooldeck.kinds import Ending, PoolKind
from pooldeck_server.domain.pools.health import PoolHealth, SlotHealth, WorkerHealth, slot_of
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.states import FINAL, LIVE, State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.pools import confirm as confirm_pools
from pooldeck_server.web.pages.task import confirm
from pooldeck_server.web.pages.tasks import confirm as confirm_tasks
from pooldeck_server.web.pages.tasks.address import read_filter
from pooldeck_server.web.text.kill_questions import kill_button

LOST = TaskFilter(states=(State.LOST,), tags=("a b",), text="x")


def test_the_exact_number_is_said_before_and_on_the_button() -> None:
    asked = confirm_tasks.retry(confirm_tasks.all_matching(LOST, 1344, now=7))
    assert asked.heading == "Retry 1,344 tasks?"
    assert asked.button == "Retry 1,344 tasks"
    assert (
        confirm_tasks.cancel(confirm_tasks.all_matching(LOST, 1, now=7)).button == "Cancel 1 task"
    )


def test_a_question_carries_its_filter_and_the_moment_of_the_number() -> None:
    asked = confirm_tasks.cancel(confirm_tasks.all_matching(LOST, 3, now=7))
    assert read_filter(QueryParams(list(asked.hidden)), 7) == LOST
    assert ("before", "7") in asked.hidden
    assert asked.conditions == (("state", "lost"), ("tag", "a b"), ("text", "x"))
    assert asked.back == "/tasks?state=lost&tag=a+b&q=x"


def test_that_successes_are_repeated_too_is_said_where_they_are() -> None:
    some = confirm_tasks.retry(confirm_tasks.all_matching(LOST, 3, now=7))
    every = confirm_tasks.retry(confirm_tasks.all_matching(TaskFilter(), 3, now=7))
    assert "succeeded" not in " ".join(some.sentences)
    assert "succeeded" in " ".join(every.sentences)


def test_where_nothing_matches_there_is_no_button() -> None:
    assert confirm_tasks.cancel(confirm_tasks.all_matching(LOST, 0, now=7)).button is None
    assert confirm_tasks.retry(confirm_tasks.all_matching(LOST, 0, now=7)).button is None


def work(state: State) -> StoredTask:
    return StoredTask(
        seq=1,
        id="0199",
        function="acme.work",
        pool="p",
        state=state,
        attempt=1,
        priority=0,
        tags=(),
        created_at=0,
        run_at=None,
    )


@pytest.mark.parametrize(
    ("ending", "heading", "button", "words"),
    [
        (Ending.WORKER_ENDED, "Kill work?", "Kill task", "worker process is ended at once"),
        (Ending.COMMAND_ENDED, "Kill work?", "Kill command", "command is told to end, and killed"),
        (Ending.ABANDONED, "Abandon work?", "Abandon task", "cannot be ended: it is abandoned"),
        (Ending.NEVER_STARTED, "Cancel work?", "Cancel task", "then never will"),
    ],
)
def test_killing_a_task_says_how_it_ends(
    ending: Ending, heading: str, button: str, words: str
) -> None:
    slot = SlotHealth("0199", "acme.work", 1.0, if_killed=ending)
    asked = confirm.kill_task(work(State.RUNNING), slot)
    said = " ".join(asked.sentences)
    assert (asked.heading, asked.button) == (heading, button)
    assert words in said
    assert ("counts as cancelled" in said) == (ending is not Ending.ABANDONED)
    assert ("counts as failed" in said) == (ending is Ending.ABANDONED)
    assert asked.action == "/tasks/0199/kill"
    assert kill_button(ending) == button


@pytest.mark.parametrize("state", sorted(LIVE - {State.RUNNING}))
def test_a_task_that_has_not_started_is_cancelled_not_killed(state: State) -> None:
    for slot in (None, SlotHealth("0199", "acme.work", None, if_killed=Ending.WORKER_ENDED)):
        asked = confirm.kill_task(work(state), slot)
        assert (asked.heading, asked.button) == ("Cancel work?", "Cancel task")
        assert asked.asks_reason


@pytest.mark.parametrize("state", sorted(FINAL))
def test_a_task_that_has_ended_cannot_be_killed(state: State) -> None:
    asked = confirm.kill_task(work(state), None)
    assert asked.sentences == ("It has ended: there is nothing to kill.",)
    assert asked.button is None


def test_a_task_whose_end_is_on_its_way_cannot_be_killed() -> None:
    asked = confirm.kill_task(work(State.RUNNING), None)
    assert asked.button is None
    assert "ends at this moment" in asked.sentences[0]


def test_only_a_slot_that_counts_is_where_a_task_runs() -> None:
    left, now = SlotHealth(task="a", abandoned=True), SlotHealth(task="a")
    worker = WorkerHealth("io-3", 1, "busy", 0, 0, (now, SlotHealth(), left))
    pool = PoolHealth("io", PoolKind.THREAD, 2, "running", None, 0, 0, None, 0, (worker,))
    assert slot_of([pool], "a") is now
    assert slot_of([replace(pool, workers=(replace(worker, slots=(left,)),))], "a") is None


def test_killing_a_worker_says_how_many_tasks_end_with_it() -> None:
    slots = (SlotHealth(task="a"), SlotHealth(), SlotHealth(task="b", abandoned=True))
    worker = WorkerHealth("io-3", 1, "busy", 0, 0, slots)
    pool = PoolHealth("io", PoolKind.THREAD, 2, "running", None, 0, 0, None, 0, (worker,))
    assert "1 task runs in it" in " ".join(confirm_pools.kill_worker(pool, worker).sentences)
