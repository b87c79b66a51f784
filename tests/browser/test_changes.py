"""What people do on the pages, by plain forms, as a browser without JavaScript sends them."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.browser.looking import submitted
from tests.browser.reading import page, page_with, post, text_of
from tests.support.serving import Serving, serving


def follow(client: httpx.Client, answer: httpx.Response) -> str:
    """Return the words of the page that a form's answer leads to."""
    assert answer.status_code == 303, answer.text
    return text_of(page(client, answer.headers["location"]))


def hidden(markup: str) -> dict[str, str]:
    """Return the hidden fields of a page's form."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', markup)
    return {name: html.unescape(value) for name, value in found}


# One task.


def test_a_task_that_waits_is_cancelled(client: httpx.Client, shown: Serving) -> None:
    task_id = submitted(shown, "shown.add", 1, delay=3600)
    assert 'id="cancel"' in page(client, f"/tasks/{task_id}")
    words = follow(client, post(client, f"/tasks/{task_id}/cancel"))
    assert "It was cancelled before it started." in words
    assert "cancelled Future CANCELLED" in words
    assert 'id="cancel"' not in page(client, f"/tasks/{task_id}")
    assert "It had ended before." in follow(client, post(client, f"/tasks/{task_id}/cancel"))


def test_a_task_that_runs_is_asked_and_shown_as_asked(
    client: httpx.Client, shown: Serving, flag: Path
) -> None:
    task_id = submitted(shown, "shown.wait", str(flag))
    page_with(client, f"/tasks/{task_id}", "Ask it to end")
    words = follow(client, post(client, f"/tasks/{task_id}/cancel"))
    assert "It was asked to end itself" in words
    assert "running Future RUNNING" in words
    assert "asked to end itself Its way" in words
    assert "asked to end" in text_of(page_with(client, "/pools", task_id))
    page_with(client, "/", 'data-state="asked"')


def test_a_kill_is_asked_for_first_and_ends_the_process(
    client: httpx.Client, shown: Serving, flag: Path
) -> None:
    task_id = submitted(shown, "shown.hold", str(flag))
    markup = page_with(client, f"/tasks/{task_id}", 'id="kill"')
    assert f'href="/tasks/{task_id}/kill"' in markup
    asked = page(client, f"/tasks/{task_id}/kill")
    assert "The task then counts as cancelled." in text_of(asked)
    assert f'action="/tasks/{task_id}/kill"' in asked
    words = follow(client, post(client, f"/tasks/{task_id}/kill"))
    assert "It was killed" in words
    client.get(f"/api/v1/tasks/{task_id}", params={"wait": 30})
    assert "cancelled Future CANCELLED" in text_of(page(client, f"/tasks/{task_id}"))


def test_a_killed_thread_is_called_abandoned_not_cancelled(
    client: httpx.Client, shown: Serving, flag: Path
) -> None:
    task_id = submitted(shown, "shown.wait", str(flag))
    page_with(client, f"/tasks/{task_id}", 'id="kill"')
    assert "cannot be ended" in text_of(page(client, f"/tasks/{task_id}/kill"))
    words = follow(client, post(client, f"/tasks/{task_id}/kill"))
    assert "It was abandoned" in words
    client.get(f"/api/v1/tasks/{task_id}", params={"wait": 30})
    assert "failed Future FINISHED" in text_of(page(client, f"/tasks/{task_id}"))
    assert 'data-state="abandoned"' in page_with(client, "/pools", task_id)


def test_a_task_that_ended_is_retried_and_keeps_its_attempts(
    client: httpx.Client, shown: Serving
) -> None:
    task_id = shown.run("shown.fail", "again")["id"]
    words = follow(client, post(client, f"/tasks/{task_id}/retry"))
    assert "It is queued again, as a new attempt." in words
    client.get(f"/api/v1/tasks/{task_id}", params={"wait": 30})
    words = text_of(page(client, f"/tasks/{task_id}"))
    assert "Attempts 2 failed" in words
    assert "1 failed" in words


def test_each_attempt_shows_its_error_as_text_and_its_own_log(
    client: httpx.Client, shown: Serving
) -> None:
    task_id = shown.run("shown.stumble")["id"]
    latest = page(client, f"/tasks/{task_id}")
    assert "&lt;b&gt;not&lt;/b&gt; yet" in latest
    assert "Log of attempt 2" in text_of(latest)
    assert "stdout attempt 2" in text_of(latest)
    earlier = text_of(page(client, f"/tasks/{task_id}?attempt=1"))
    assert "Log of attempt 1" in earlier
    assert "stdout attempt 1" in earlier


def test_what_cannot_be_retried_says_why(client: httpx.Client, shown: Serving) -> None:
    task_id = shown.run("shown.log_in", "ann", "hunter2")["id"]
    markup = page(client, f"/tasks/{task_id}")
    assert 'id="retry"' not in markup
    assert "arguments were erased" in text_of(markup)
    refused = post(client, f"/tasks/{task_id}/retry")
    assert refused.status_code == 409
    assert "erased" in text_of(refused.text)


def test_a_running_task_shows_its_stack_on_request(
    client: httpx.Client, shown: Serving, flag: Path
) -> None:
    task_id = submitted(shown, "shown.hold", str(flag))
    page_with(client, f"/tasks/{task_id}", 'id="stack"')
    words = text_of(page(client, f"/tasks/{task_id}/stack"))
    assert "in _wait_for" in words
    flag.touch()
    client.get(f"/api/v1/tasks/{task_id}", params={"wait": 30})
    assert "only what runs" in text_of(page(client, f"/tasks/{task_id}/stack", 409))


# Many tasks.


def test_all_that_match_are_cancelled_after_their_number_was_said(
    client: httpx.Client, shown: Serving
) -> None:
    for number in range(3):
        submitted(shown, "shown.add", number, delay=3600, tags=["many"])
    assert '/tasks/cancel?tag=many"' in page(client, "/tasks?tag=many")
    asked = page(client, "/tasks/cancel?tag=many")
    assert "Cancel 3 tasks?" in text_of(asked)
    submitted(shown, "shown.add", 9, delay=3600, tags=["many"])
    words = follow(client, post(client, "/tasks/cancel", **hidden(asked)))
    assert "3 cancelled." in words
    left = client.get("/api/v1/tasks", params={"tag": "many", "state": "scheduled"}).json()
    assert [task["args"] for task in left["items"]] == [[9]]


def test_all_that_match_are_retried_after_their_number_was_said(
    client: httpx.Client, shown: Serving
) -> None:
    for _ in range(2):
        task_id = submitted(shown, "shown.fail", "many", tags=["retried"])
        client.get(f"/api/v1/tasks/{task_id}", params={"wait": 30})
    asked = page(client, "/tasks/retry?tag=retried&state=failed")
    assert "Retry 2 tasks" in text_of(asked)
    answer = post(client, "/tasks/retry", **hidden(asked))
    assert "2 queued again." in follow(client, answer)


def test_where_nothing_matches_nothing_can_be_confirmed(client: httpx.Client) -> None:
    markup = page(client, "/tasks/retry?tag=never-used")
    assert "Nothing that matches has ended." in text_of(markup)
    assert "<form" not in markup[markup.index("<main") : markup.index("</main>")]


def test_a_form_without_the_moment_of_its_number_is_refused(client: httpx.Client) -> None:
    assert post(client, "/tasks/cancel", tag="x").status_code == 422


@pytest.mark.parametrize(
    "path", ["/tasks/x/kill", "/tasks/cancel", "/pools/cpu/drain", "/workers/cpu-1/kill"]
)
def test_a_form_from_another_site_changes_nothing(client: httpx.Client, path: str) -> None:
    headers = {"origin": "http://elsewhere.example"}
    assert client.post(path, headers=headers).status_code == 403


# Pools and workers.


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server of its own, whose pools may be changed and whose workers may die."""
    environment = {"PYTHONPATH": str(Path(__file__).parent), "POOLDECK_HOLD_AFTER": "1"}
    folder = tmp_path_factory.mktemp("own")
    options = ("--functions", "shown")
    with serving(folder, *options, environment=environment) as server:
        server.wait_until_ready()
        yield server


def test_a_pool_is_resized_by_hand_and_says_so(own: Serving) -> None:
    words = follow(own.client, post(own.client, "/pools/cpu/resize", size="3"))
    assert "It has another size now." in words
    assert "3 by hand, configured" in words
    for wrong in ("0", "1001", "many", ""):
        assert post(own.client, "/pools/cpu/resize", size=wrong).status_code == 422


def test_a_pool_is_paused_and_resumed(own: Serving) -> None:
    words = follow(own.client, post(own.client, "/pools/io/pause"))
    assert "io paused" in words
    page_with(own.client, "/", "is paused: what is queued waits")
    assert "io running" in follow(own.client, post(own.client, "/pools/io/resume"))


def test_a_pool_is_drained_and_runs_again(own: Serving) -> None:
    follow(own.client, post(own.client, "/pools/io/drain"))
    page_with(own.client, "/pools", '<span class="mark" data-state="stopped"')
    assert "io running" in follow(own.client, post(own.client, "/pools/io/resume"))


def test_a_restart_is_told(own: Serving) -> None:
    words = follow(own.client, post(own.client, "/pools/io/restart"))
    assert "replaced one by one" in words


def test_a_worker_is_killed_after_a_question(own: Serving) -> None:
    markup = page_with(own.client, "/pools", 'href="/workers/cpu-')
    path = re.findall(r'href="(/workers/cpu-\d+/kill)"', markup)[0]
    assert "No task runs in it." in text_of(page(own.client, path))
    assert "The worker was killed" in follow(own.client, post(own.client, path))
    assert "there is no worker" in post(own.client, "/workers/cpu-0/kill").text.lower()
    assert post(own.client, path, reason="x" * 501).status_code == 422


# Crashes.


def test_a_crash_is_told_and_its_function_released(own: Serving) -> None:
    assert "No worker has died" in text_of(page(own.client, "/incidents"))
    task_id = own.run("shown.die")["id"]
    listed = page_with(own.client, "/incidents", f"/tasks/{task_id}")
    assert "killed by SIGSEGV" in text_of(listed)
    href = re.findall(r'href="(/incidents/[^"]+)"', listed)[0]
    words = text_of(page(own.client, href))
    assert "It died of shown.die" in words
    assert "Fatal Python error: Segmentation fault" in words
    page_with(own.client, "/", "is on hold")
    for path in ("/functions", "/functions/shown.die"):
        assert 'action="/functions/shown.die/release"' in page(own.client, path)
    words = follow(own.client, post(own.client, "/functions/shown.die/release"))
    assert "It was released" in words
    assert "is on hold" not in words
    assert page(own.client, "/incidents/none", 404)


@pytest.mark.soak  # and, without a browser: web/api/test_incidents.py
def test_the_deck_tells_the_story_of_a_start_after_a_crash(tmp_path: Path) -> None:
    environment = {"PYTHONPATH": str(Path(__file__).parent)}
    with serving(tmp_path, "--functions", "shown", environment=environment) as first:
        first.wait_until_ready()
        assert "was cut off" not in text_of(page(first.client, "/"))
        submitted(first, "shown.add", 1, delay=3600)
        first.client.close()
        first.process.kill()
        first.process.communicate()
    with serving(tmp_path, "--functions", "shown", environment=environment) as second:
        second.wait_until_ready()
        words = text_of(page(second.client, "/"))
        assert "The server was cut off and started again" in words
        assert "1 scheduled task was kept." in words
