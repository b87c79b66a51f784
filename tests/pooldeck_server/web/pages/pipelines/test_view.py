"""The drawing of what comes after what, and the pages that show it."""

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooldeck_server.domain.tasks.dependencies import RelatedTask, RelatedTasks, Rule
from pooldeck_server.domain.tasks.pipelines import StepNeed, StepReport, StoredPipeline, StoredStep
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.web.pages.pipelines.view import cancel_pipeline
from pooldeck_server.web.pages.shared.graph import (
    pipeline_graph,
    pipeline_name,
    step_state,
    step_words,
)
from pooldeck_server.web.pages.shared.layers import HEIGHT, WIDTH, layout
from tests.support.served import Served


@st.composite
def _graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    """Return boxes, each with some of those before it."""
    names = [f"step {number}" for number in range(draw(st.integers(1, 12)))]
    return {
        name: draw(st.lists(st.sampled_from(names[:place]), unique=True)) if place else []
        for place, name in enumerate(names)
    }


@given(_graphs())
def test_boxes_stand_right_of_what_they_need_and_never_on_each_other(
    needs: dict[str, list[str]],
) -> None:
    found = layout(needs)
    assert found.boxes.keys() == needs.keys()
    for name, before in needs.items():
        assert all(found.boxes[each].x + WIDTH < found.boxes[name].x for each in before)
    for one, other in combinations(found.boxes.values(), 2):
        assert abs(one.x - other.x) >= WIDTH or abs(one.y - other.y) >= HEIGHT
    assert {(way.start, way.end) for way in found.ways} == {
        (each, name) for name, before in needs.items() for each in before
    }
    for box in found.boxes.values():
        assert 0 <= box.x <= found.width - WIDTH
        assert 0 <= box.y <= found.height - HEIGHT


def test_ways_begin_and_end_at_boxes_and_pass_beside_the_others() -> None:
    found = layout({"a": [], "b": ["a"], "c": ["b", "a"]})
    for way in found.ways:
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", way.d)]
        start, end = found.boxes[way.start], found.boxes[way.end]
        assert numbers[:2] == [start.x + WIDTH, start.y + HEIGHT / 2]
        assert numbers[-2:] == [end.x, end.y + HEIGHT / 2]
    (past,) = (way for way in found.ways if (way.start, way.end) == ("a", "c"))
    level = float(re.findall(r"([\d.]+)H", past.d)[0].split(",")[-1])
    passed = found.boxes["b"].y
    assert not passed <= level <= passed + HEIGHT


def _report(name: str, counts: dict[State, int], **more: object) -> StepReport:
    is_fan = bool(more.get("is_fan"))
    needs = tuple(StepNeed(each, Rule.SKIP) for each in str(more.get("after", "")).split())
    step = StoredStep(name, f"acme.{name}", "cpu", needs, is_fan)
    return StepReport(step, counts, None if is_fan else f"id of {name}")


@pytest.mark.parametrize(
    ("counts", "state", "words"),
    [
        ({State.SUCCEEDED: 1200}, State.SUCCEEDED, "all 1,200 items"),
        ({State.SUCCEEDED: 2, State.RUNNING: 1, State.QUEUED: 4}, State.RUNNING, "2 of 7"),
        (
            {State.SUCCEEDED: 5, State.FAILED: 2, State.LOST: 1},
            State.FAILED,
            "5 of 8, 2 failed, 1 lost",
        ),
        ({}, State.SUCCEEDED, "an empty list"),
    ],
)
def test_a_step_over_a_list_says_how_far_it_is(
    counts: dict[State, int], state: State, words: str
) -> None:
    assert step_state(counts) is state
    assert step_words(_report("each", counts, is_fan=True)) == words


def test_the_drawing_marks_where_one_is_and_which_ways_a_failure_does_not_stop() -> None:
    steps = (
        _report("fetch", {State.SUCCEEDED: 3, State.FAILED: 1}, is_fan=True),
        _report("join", {State.SCHEDULED: 1}, after="fetch"),
    )
    pipeline = StoredPipeline("an-id", None, 0, steps)
    assert (pipeline.state, pipeline_name(pipeline)) == ("running", "fetch → join")
    graph = pipeline_graph(pipeline, here="join")
    fetch, join = graph.boxes
    assert (fetch.is_here, join.is_here) == (False, True)
    assert [(share.state, share.width) for share in fetch.bar] == [
        (State.SUCCEEDED, 126),
        (State.FAILED, 42),
    ]
    assert fetch.href == "/tasks?pipeline=an-id&function=acme.fetch"
    assert join.href == "/tasks/id of join"
    assert [arrow.is_strict for arrow in graph.arrows] == [False]
    assert cancel_pipeline(pipeline).button == "Cancel 1 task"


def test_neighbours_know_how_many_they_are() -> None:
    around = RelatedTasks((RelatedTask("a", "f", State.FAILED, Rule.STOP),), before_count=9)
    assert around.before_count - len(around.before) == 8


def test_the_pages_of_a_pipeline_and_of_its_tasks_show_the_drawing(server: Served) -> None:
    body = {
        "name": "seen <b>by people</b>",
        "tasks": {
            "list": {"function": "web_functions.echo", "args": [[1, 2]]},
            "each": {
                "function": "web_functions.add",
                "args": [{"$item": True}],
                "each": {"$result": "list"},
            },
            "join": {"function": "web_functions.echo", "args": [{"$result": "each"}]},
        },
    }
    sent = server.http.post("/api/v1/pipelines", json=body).json()
    task = sent["tasks"]["join"][0]
    assert server.http.get(f"/api/v1/tasks/{task}", params={"wait": 20}).json()["result"] == [3, 4]
    page = server.http.get(f"/pipelines/{sent['id']}").text
    assert "seen &lt;b&gt;by people" in page
    assert page.count('class="graph-box"') == 3
    assert "all 2 items" in page
    assert 'data-refresh="never"' in page
    assert f'href="/pipelines/{sent["id"]}"' in server.http.get("/pipelines").text
    of_task = server.http.get(f"/tasks/{task}").text
    assert "In the pipeline" in of_task
    assert "Arguments as they were submitted" in of_task
    assert "All of it has ended" in server.http.get(f"/pipelines/{sent['id']}/cancel").text
    assert server.http.get("/pipelines/nothing").status_code == 404


@pytest.mark.parametrize(
    ("fields", "words"),
    [({}, "what runs was asked to end."), ({"kill": "on"}, "what ran was killed, or abandoned")],
)
def test_what_was_done_to_a_pipeline_is_said_as_it_was_done(
    server: Served, fields: dict[str, str], words: str
) -> None:
    body = {"tasks": {"only": {"function": "web_functions.echo", "args": [1], "delay": 600}}}
    sent = server.http.post("/api/v1/pipelines", json=body).json()
    path = f"/pipelines/{sent['id']}/cancel"
    assert words in server.http.post(path, data=fields, follow_redirects=True).text


def test_the_page_of_a_task_says_what_it_waits_for_or_what_stopped_it(server: Served) -> None:
    first = server.submit("add", 1, wait=0, delay=600).json()["id"]
    second = server.submit("add", 1, wait=0, after=[first]).json()["id"]
    waiting = server.http.get(f"/tasks/{second}").text
    assert "It waits for 1 task to end." in waiting
    assert f'href="/tasks/{first}"' in waiting
    assert f'href="/tasks/{second}"' in server.http.get(f"/tasks/{first}").text
    server.http.post(f"/api/v1/tasks/{first}/cancel")
    server.http.get(f"/api/v1/tasks/{second}", params={"wait": 20})
    assert "since a task that it comes after did not succeed" in (
        server.http.get(f"/tasks/{second}").text
    )
