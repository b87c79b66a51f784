"""What of a task goes from one of its values into the next."""

from typing import Any

from msgspec.structs import asdict

from pooldeck_server.domain.tasks.releases import Awaiting, Release
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import (
    NewTask,
    QueuedTask,
    RunnableTask,
    StoredTask,
    SubmittedTask,
    TaskKey,
)

NEW = NewTask(
    seq=7,
    id="0199",
    function="acme.work",
    pool="cpu",
    priority=3,
    created_at=11,
    args='["secret"]',
    kwargs="{}",
    run_at=13,
    options='{"retries":2}',
    tags=("x",),
    shown_args='["[redacted]"]',
    shown_kwargs="{}",
    placed='{"pool":"cpu"}',
    state=State.SCHEDULED,
)


def common(value: Any, other: type[Any]) -> dict[str, Any]:
    return {name: field for name, field in asdict(value).items() if name in other.__struct_fields__}


def test_each_field_that_a_queue_needs_is_that_of_the_submission() -> None:
    queued = NEW.claim().as_queued()

    assert common(queued, RunnableTask) == common(NEW, RunnableTask)
    assert (queued.attempt, queued.reruns) == (0, 0)


def test_what_people_see_at_once_is_the_submission_without_what_is_sensitive() -> None:
    stored = NEW.claim().as_stored()

    changed = {"args": '["[redacted]"]', "attempt": 0}
    assert common(stored, NewTask) == common(NEW, StoredTask) | changed


def test_a_further_item_of_a_list_keeps_all_of_the_task_that_its_release_does_not_set() -> None:
    submitted = common(NEW, SubmittedTask)
    head = Awaiting(**submitted, pipeline="p", step="s", each="[1,2]", delay=5.0)
    release = Release(
        seq=7,
        released_at=20,
        state=State.QUEUED,
        run_at=21,
        args="[2]",
        kwargs="{}",
        shown_args=None,
        shown_kwargs=None,
        item=1,
        items=2,
    )

    sibling = head.sibling(release, TaskKey(8, "0200"))

    released = common(release, NewTask) | {"seq": 8, "id": "0200", "created_at": 20}
    assert asdict(sibling) == asdict(NewTask(**submitted | released))
    assert head.place_of(release, 8).item == 1


def test_no_field_of_a_queued_task_is_left_to_its_default_but_attempts_and_edits() -> None:
    own = set(QueuedTask.__struct_fields__) - set(RunnableTask.__struct_fields__)
    assert own == {"attempt", "edits", "reruns"}
