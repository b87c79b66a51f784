"""Why tasks and functions are where they are, and how large pools should be: over HTTP."""

import re
from typing import Any

import pytest

from pooldeck_server.domain.functions.placements import Placement, PlacementRule
from pooldeck_server.domain.pools.annotations import StoredAnnotation
from pooldeck_server.web.text.annotations import annotation_words
from pooldeck_server.web.text.placement import placed_words, placement_words
from tests.support.served import Served
from tests.support.watching import until

ROAM = "/api/v1/functions/web_functions.roam"


def place(server: Served, pool: str | None, path: str = ROAM) -> dict[str, Any]:
    response = server.http.post(f"{path}/placement", json={"pool": pool})
    assert response.status_code == 200, response.text
    function: dict[str, Any] = response.json()
    return function


def test_a_task_says_why_it_ran_where_it_ran(server: Served) -> None:
    task = server.submit("ask", "http://127.0.0.1/").json()
    assert task["pool"] == "io"
    assert task["placed"]["rule"] == "coroutine"
    assert "an async function mostly waits" in task["placed"]["words"]
    listed = server.http.get("/api/v1/tasks", params={"function": "web_functions.ask"}).json()
    assert listed["items"][0]["placed"] == task["placed"]


def test_a_task_whose_pool_was_named_has_nothing_to_explain(server: Served) -> None:
    assert server.submit("roam", 1, pool="io").json()["placed"] is None
    assert server.submit("echo", 1).json()["placed"] is None


def test_a_function_is_placed_by_hand_and_given_back(server: Served) -> None:
    assert server.http.get(ROAM).json()["placement"]["rule"] == "plain"
    function = place(server, "io")
    assert (function["pool"], function["placement"]["rule"]) == ("io", "by_hand")
    assert function["placement"]["before"] == "cpu"
    task = server.submit("roam", 1).json()
    assert (task["pool"], task["placed"]["words"]) == (
        "io",
        "The function was placed in io by hand.",
    )
    function = place(server, None)
    assert (function["pool"], function["placement"]["rule"]) == ("cpu", "plain")

    def moves() -> list[dict[str, Any]]:
        marks = server.http.get("/api/v1/annotations").json()["items"]
        return [mark for mark in marks if mark["kind"] == "placed"]

    until(lambda: len(moves()) >= 2)  # a mark is committed a moment after what it tells of
    placed = moves()[:2]
    assert [(mark["pool"], mark["data"]["before"]) for mark in placed] == [
        ("cpu", "io"),
        ("io", "cpu"),
    ]
    assert placed[0]["href"] == "/functions/web_functions.roam"


def test_what_is_measured_is_advised_with_a_button_and_moves_nothing(server: Served) -> None:
    doze = "/api/v1/functions/web_functions.doze"
    for _ in range(30):
        assert server.submit("doze", 0.02).json()["pool"] == "cpu"
    function = server.http.get(doze).json()
    assert (function["pool"], function["placement"]["rule"]) == ("cpu", "plain")
    advice = server.http.get(f"{doze}/advice").json()
    assert (advice["verdict"], advice["is_misplaced"]) == ("io_bound", True)
    assert advice["recommended"] == {"kind": "thread", "pool": "io"}
    assert advice["risks"] == []
    assert "which does not prove that there is nothing" in advice["sentences"][-1]
    page = server.http.get("/functions/web_functions.doze").text
    assert "which does not prove that there is nothing" in page
    assert "No measurement moves it: its owner does not say that it may be" in page
    assert re.search(r'name="pool" value="io"><button[^>]*>Place it in io</button>', page)

    form = {"pool": "io"}  # as the button sends it
    path = "/functions/web_functions.doze/placement"
    assert server.http.post(path, data=form, follow_redirects=True).status_code == 200
    assert server.http.get(doze).json()["placement"]["rule"] == "by_hand"
    assert "Place it in io" not in server.http.get("/functions/web_functions.doze").text
    place(server, None, doze)


def test_a_placement_that_may_not_work_is_asked_about_and_undone_where_it_does_not(
    server: Served,
) -> None:
    chime, page = "/api/v1/functions/web_functions.chime", "/functions/web_functions.chime"
    for _ in range(30):
        assert server.submit("chime", 0.02).json()["state"] == "succeeded"
    advice = server.http.get(f"{chime}/advice").json()
    assert advice["recommended"]["pool"] == "io"
    (risk,) = advice["risks"]
    assert (risk["kind"], risk["what"], risk["within"]) == ("signals", "signal.signal", "chime")
    assert risk["words"].startswith(f"signal.signal (line {risk['line']}): signals are")
    shown = server.http.get(page).text
    assert risk["words"].partition(":")[0] in shown
    assert "Its owner says that it may be moved to processes by measurements" in shown
    assert "safe_in" in server.http.get(chime).json()["options"]

    answer = server.http.post(f"{page}/placement", data={"pool": "io"})
    assert answer.status_code == 303
    question = server.http.get(answer.headers["location"]).text
    assert "Place chime in io?" in question
    assert risk["words"].partition(":")[0] in question
    assert server.http.get(chime).json()["pool"] == "cpu"
    form = {"pool": "io", "sure": "1"}  # as the question sends it
    assert server.http.post(f"{page}/placement", data=form).status_code == 303
    assert server.http.get(chime).json()["pool"] == "io"

    failed = server.submit("chime", 0.0).json()
    assert (failed["pool"], failed["state"]) == ("io", "failed")

    def undone() -> dict[str, Any] | None:
        placement: dict[str, Any] = server.http.get(chime).json()["placement"]
        return placement if placement["rule"] == "undone" else None

    placement = until(undone)
    assert (placement["pool"], placement["before"]) == ("cpu", "io")
    assert (placement["task"], placement["since"] is None) == (failed["id"], False)
    assert "only works in main thread" in placement["error"]
    assert server.http.get(f"/errors/{placement['group']}").status_code == 200
    shown = server.http.get(page).text
    assert "went back from io to cpu: it failed there as it never had before" in shown
    assert all(f"{words}</button>" in shown for words in ("Keep it in cpu", "io all the same"))
    again = server.submit("chime", 0.0).json()
    assert (again["pool"], again["state"]) == ("cpu", "succeeded")
    assert "in io it failed as it never had before" in again["placed"]["words"]
    assert server.http.post(f"{page}/placement", data={"pool": "cpu"}).status_code == 303
    assert "went back from io to cpu" not in server.http.get(page).text
    place(server, None, chime)


def test_a_question_about_a_pool_that_does_not_exist_is_not_found(server: Served) -> None:
    answer = server.http.get("/functions/web_functions.chime/placement", params={"pool": "sea"})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("function", "body", "status", "code"),
    [
        ("web_functions.roam", {"pool": "sea"}, 422, "unknown_pool"),
        ("web_functions.roam", {}, 422, "invalid_request"),
        ("web_functions.echo", {"pool": "io"}, 409, "conflict"),
        ("web_functions.none", {"pool": "io"}, 404, "not_found"),
    ],
)
def test_what_cannot_be_placed_is_refused(
    server: Served, function: str, body: dict[str, Any], status: int, code: str
) -> None:
    response = server.http.post(f"/api/v1/functions/{function}/placement", json=body)
    assert (response.status_code, response.json()["code"]) == (status, code)


def test_the_page_of_a_task_says_why_it_ran_where_it_ran(server: Served) -> None:
    task = server.submit("ask", "http://127.0.0.1/").json()
    assert "an async function mostly waits" in server.http.get(f"/tasks/{task['id']}").text


MEASURED = Placement(
    "io", PlacementRule.MEASURED, since=1, verdict="io_bound", runs=1, gain=3.0, before="cpu"
)


@pytest.mark.parametrize("rule", PlacementRule)
def test_every_rule_has_words_that_name_the_pool(rule: PlacementRule) -> None:
    words = placement_words(Placement("sea-pool", rule, hint="url", before="cpu", runs=20))
    assert "sea-pool" in words
    assert words.endswith(".")


def test_what_was_measured_is_told_with_its_gain() -> None:
    assert placement_words(MEASURED) == (
        "The server moved the function from cpu to io after 1 run: it mostly waits, which many "
        "threads do at once. Expected: 3 times as many in the same time."
    )
    assert placed_words(MEASURED.to_json()) == placement_words(MEASURED)
    assert placed_words(None) == "Its pool was named, by its function or by whoever submitted it."


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ({}, "f was placed here by hand, before in cpu"),
        ({"given_back": "by_hand"}, "f was given back and is here again, before in cpu"),
        (
            {"given_back": "measured"},
            "f is here again: measurements had moved it to cpu without its owner's word",
        ),
        ({"verdict": "io_bound"}, "f was moved here from cpu"),
        (
            {"undone": "ValueError: no"},
            "f went back here from cpu, where it failed as never before: ValueError: no",
        ),
    ],
)
def test_a_move_is_noted_in_words(why: dict[str, Any], words: str) -> None:
    data = {"before": "cpu", **why}
    said = annotation_words(StoredAnnotation(0, "placed", "io", "acme.f", data))
    assert said == f"io: {words}"
