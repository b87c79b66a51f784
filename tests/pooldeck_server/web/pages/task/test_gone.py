"""Where a task was that is not there any more, pages say so; and why many were deleted is kept."""

import html
import re
from typing import Any

from tests.support.served import WEB_FUNCTIONS, Served


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def done_last(server: Served, deed: str) -> dict[str, Any]:
    """Return the latest action of a kind."""
    found = server.http.get("/api/v1/actions", params={"deed": deed, "limit": 1}).json()["items"]
    action: dict[str, Any] = found[0]
    return action


def test_the_address_of_a_deleted_task_says_when_that_was_and_leads_on(server: Served) -> None:
    task = server.submit("add", 1).json()["id"]
    server.http.post(f"/tasks/{task}/delete", data={"reason": "it is of no use"})

    page = server.http.get(f"/tasks/{task}")

    assert page.status_code == 404
    assert re.search(r"It was deleted on 20\d\d-\d\d-\d\d", text_of(page.text))
    assert 'href="/retention"' in page.text
    assert 'href="/tasks"' in page.text
    action = done_last(server, "delete")
    assert (action["target"], action["reason"]) == (task, "it is of no use")


def test_an_unknown_task_may_have_been_deleted_by_rules_that_are_said(server: Served) -> None:
    page = server.http.get("/tasks/0190a2b4-0000-7000-8000-000000000000")
    assert page.status_code == 404
    text = text_of(page.text)
    assert "It may have been deleted" in text
    assert "succeeded 30 days" in text


def test_a_group_of_errors_says_that_its_last_task_was_deleted(server: Served) -> None:
    task = server.submit("fail", "of a task that is deleted").json()
    [group] = server.http.get(
        "/api/v1/errors", params={"function": f"{WEB_FUNCTIONS}.fail"}
    ).json()["items"][:1]
    address = f"/errors/{group['id']}"
    assert f'id="last-task" href="/tasks/{task["id"]}"' in server.http.get(address).text

    server.http.delete(f"/api/v1/tasks/{task['id']}")

    page = server.http.get(address).text
    assert 'id="last-task"' not in page
    assert "its task deleted" in text_of(page)


def test_why_many_are_run_again_or_deleted_is_kept(server: Served) -> None:
    task = server.submit("add", 1, tags=["of-reasons"]).json()["id"]
    form = {"tag": "of-reasons", "before": "9999999999999999"}
    for change, deed in (("retry", "retry"), ("delete", "delete")):
        server.http.get(f"/api/v1/tasks/{task}", params={"wait": 20})
        question = server.http.get(f"/tasks/{change}", params={"tag": "of-reasons"}).text
        assert 'name="reason"' in question
        answer = server.http.post(f"/tasks/{change}", data=form | {"reason": f"to {deed}"})
        assert answer.status_code == 303
        assert done_last(server, deed)["reason"] == f"to {deed}"


def test_why_a_pool_is_resized_is_kept(server: Served) -> None:
    assert 'name="reason"' in server.http.get("/pools").text
    server.http.post("/pools/io/resize", data={"size": "3", "reason": "more to wait for"})
    assert done_last(server, "resize")["reason"] == "more to wait for"
    server.http.post("/pools/io/resize", data={"size": "2"})
    assert done_last(server, "resize")["reason"] is None
