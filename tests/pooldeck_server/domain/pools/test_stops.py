"""How the story of an end in good order is told."""

from pooldeck_server.domain.failures.incidents import TaskName
from pooldeck_server.domain.pools.controls import MOST_NAMED, CutOff, CutOffTask
from pooldeck_server.domain.pools.stops import beginning, ending, waiting
from pooldeck_server.domain.tasks.states import State

RUNNING = [TaskName(f"t{n}", "jobs.nap") for n in range(7)]


def test_the_beginning_says_what_runs_for_how_long_and_how_to_hurry() -> None:
    said = beginning(RUNNING, 10.0)
    assert said.startswith("ending: 7 tasks run and may go on for 10 s: jobs.nap (t0), ")
    assert "jobs.nap (t4) and 2 more" in said
    assert "t5" not in said
    assert "a second Ctrl-C or SIGTERM does not wait" in said
    assert beginning([], 10.0) == "ending: nothing runs"


def test_who_waits_is_told_what_for_and_for_how_long() -> None:
    assert waiting(RUNNING[:1], 5.4) == "still 1 task runs, for 5 s more: jobs.nap (t0)"


def test_the_end_says_what_was_cut_off_and_what_became_of_it() -> None:
    tasks = [CutOffTask("a", "jobs.nap", State.LOST), CutOffTask("b", "jobs.add", State.QUEUED)]
    assert ending(CutOff.of(tasks)) == (
        "ended in order, but 2 tasks were cut off: jobs.nap (a) lost, jobs.add (b) queued again"
    )
    assert ending(CutOff()) == "ended in order"


def test_of_many_tasks_that_were_cut_off_all_are_counted_and_some_are_kept() -> None:
    cost = CutOff.of([CutOffTask(f"t{n}", "jobs.nap", State.LOST) for n in range(1000)])
    assert (cost.lost, cost.rerun, len(cost.tasks)) == (1000, 0, MOST_NAMED)
    assert ending(cost).endswith(" and 995 more")
