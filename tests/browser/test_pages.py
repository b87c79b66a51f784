"""The pages of a real server, as a browser without JavaScript gets them."""

import html
import re
from pathlib import Path

import httpx
import pytest

from tests.browser.reading import page, page_with, text_of
from tests.support.serving import Serving

PAGES = ["/", "/tasks", "/incidents", "/functions", "/functions/shown.choose", "/pools"]
PAGES += ["/tasks/cancel", "/tasks/retry", "/actions"]
PAGES = ["/", "/tasks", "/incidents", "/functions", "/functions/shown.choose", "/pools", "/drain"]
PAGES += ["/tasks/cancel", "/tasks/retry"]


def submitted(client: httpx.Client, function: str, *args: object, **more: object) -> str:
    """Submit a task and return its id."""
    body = {"function": function, "args": args, **more}
    answer = client.post("/api/v1/tasks", json=body)
    assert answer.status_code == 202, answer.text
    task_id: str = answer.json()["id"]
    return task_id


# All pages.


@pytest.mark.parametrize("path", PAGES)
def test_a_page_needs_nothing_inline_and_finds_every_file_that_it_names(
    client: httpx.Client, path: str
) -> None:
    markup = page(client, path)
    markup = re.sub(r'<script type="application/json"[^>]*>', "<data>", markup)  # nothing runs it
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=", markup)
    files = set(re.findall(r'(?:src|href|data-stream)="(/static/[^"]*)"', markup))
    assert len(files) > 8
    for file in files:
        assert client.get(file).status_code == 200, file


def test_the_address_of_a_file_changes_with_its_content(client: httpx.Client) -> None:
    assert re.search(r'src="/static/[0-9a-f]{12}/js/page.js"', page(client, "/"))
    assert client.get("/static/000000000000/js/page.js").status_code == 404


@pytest.mark.parametrize("path", PAGES)
def test_the_navigation_names_the_pages_that_exist_and_marks_the_present_one(
    client: httpx.Client, path: str
) -> None:
    navigation = re.findall(r"<nav.*?</nav>", page(client, path))[0]
    assert len(re.findall(r'aria-current="page"', navigation)) == 1
    for href in re.findall(r'<a [^>]*href="([^"]*)"', navigation):
        page(client, href)


def test_the_strip_counts_what_its_links_list(client: httpx.Client) -> None:
    submitted(client, "shown.add", 1, delay=3600)
    listed = page(client, "/tasks?state=scheduled").count('class="cell-state"')
    assert listed > 0
    page_with(client, "/tasks?state=scheduled", f'data-field="counts.scheduled">{listed}<')


@pytest.mark.parametrize("path", ["/tasks/nothing", "/functions/nothing"])
def test_what_does_not_exist_is_said_on_a_page(client: httpx.Client, path: str) -> None:
    assert "nothing" in text_of(page(client, path, 404))


# The deck and the pools.


def test_the_deck_shows_what_each_slot_does(
    client: httpx.Client, shown: Serving, flag: Path
) -> None:
    shown.run("shown.add", 1)
    task_id = submitted(client, "shown.hold", str(flag))
    page_with(client, "/", 'data-state="spare"')  # which comes with the first task
    markup = page_with(client, "/", f"/tasks/{task_id}")
    (slot,) = [each for each in markup.split("<li ") if f"/tasks/{task_id}" in each]
    assert 'data-state="busy"' in slot
    assert text_of(f"<{slot}").startswith("1 busy hold")
    assert len(re.findall(r"data-worker=\"io-\d+\"", markup)) == 1
    assert len(re.findall(r"data-worker=\"cpu-\d+\"", markup)) == 3
    assert len(re.findall(r"<li class=\"worker\"[^>]* data-state=\"spare\"", markup)) == 1


def test_the_chart_has_its_figures_and_a_form_without_javascript(
    client: httpx.Client, shown: Serving
) -> None:
    shown.run("shown.add", 1)
    markup = page_with(client, "/?series=throughput&by=state&period=900", "</span>succeeded</th>")
    assert '<option value="900" selected>' in markup
    happened = text_of(markup[markup.index("What happened") :])
    assert re.search(r"server started|resized|restarted|paused|resumed|killed|died", happened)
    narrowed = page(client, "/?series=cpu&pool=cpu")
    assert 'data-pool="io"' not in narrowed
    assert "Pool cpu" in text_of(narrowed)


def test_the_pools_page_shows_settings_and_workers(client: httpx.Client) -> None:
    pools = client.get("/api/v1/pools").json()["items"]
    words = text_of(page(client, "/pools"))
    assert "4 from the settings" in words
    assert "of 100,000" in words
    for pool in pools:
        for worker in pool["workers"]:
            assert worker["id"] in words
            assert str(worker["pid"]) in words


# The list.


def test_filters_narrow_the_list_and_stay_in_the_form(client: httpx.Client, shown: Serving) -> None:
    failed = shown.run("shown.fail", "list")["id"]
    succeeded = shown.run("shown.add", 771)["id"]
    both = page(client, "/tasks")
    assert failed in both
    assert succeeded in both
    only = page(client, "/tasks?state=failed&function=shown.fail")
    assert failed in only
    assert succeeded not in only
    assert "<option selected>shown.fail</option>" in only
    assert "exception" in text_of(only)
    assert succeeded in page(client, "/tasks?q=771")


def test_older_pages_go_on_where_the_newer_one_ended(client: httpx.Client) -> None:
    batch = [{"function": "shown.add", "args": [n], "tags": ["paged"]} for n in range(70)]
    ids = client.post("/api/v1/tasks/batch", json={"tasks": batch}).json()["ids"]
    newest = page(client, "/tasks?tag=paged")
    (older,) = re.findall(r'id="older" href="([^"]*)"', newest)
    listed = [
        re.findall(r'id="task-([0-9a-f-]{36})"', each)
        for each in (newest, page(client, html.unescape(older)))
    ]
    assert listed[0] + listed[1] == ids[::-1]
    assert len(listed[0]) == 50


def test_an_empty_list_says_what_to_do(client: httpx.Client) -> None:
    assert "Show all tasks" in text_of(page(client, "/tasks?tag=never-used"))


def test_a_wrong_filter_is_explained_on_a_page(client: httpx.Client) -> None:
    assert 'There is no state "done"' in text_of(page(client, "/tasks?state=done", 422))


# One task.


def test_a_task_shows_its_result_and_where_its_time_went(
    client: httpx.Client, shown: Serving
) -> None:
    task = shown.run("shown.add", 40)
    markup = page(client, f"/tasks/{task['id']}")
    words = text_of(markup)
    assert "succeeded Future FINISHED" in words
    assert '<span class="json-number">42</span>' in markup
    assert 'class="timing"' in markup
    assert task["worker"]["id"] in words


def test_a_failed_task_shows_the_error_and_its_cause_and_escapes_both(
    client: httpx.Client, shown: Serving
) -> None:
    task = shown.run("shown.fail", "<script>alert(1)</script>")
    markup = page(client, f"/tasks/{task['id']}")
    assert "<script>alert" not in markup
    words = text_of(markup)
    assert "exception ValueError no place for <script>alert(1)</script>" in words
    assert "caused by KeyError" in words
    assert "in fail" in words


def test_the_log_of_a_task_is_text_whatever_it_says(client: httpx.Client, shown: Serving) -> None:
    task = shown.run("shown.tell", ["first", "<b>second</b>"])
    markup = page(client, f"/tasks/{task['id']}")
    assert "&lt;b&gt;second&lt;/b&gt;" in markup
    assert "WARNING shown first" in text_of(markup)


def test_a_running_task_shows_its_progress(client: httpx.Client, flag: Path) -> None:
    task_id = submitted(client, "shown.wait", str(flag))
    markup = page_with(client, f"/tasks/{task_id}", "waiting for a file")
    assert "running Future RUNNING" in text_of(markup)
    assert "25 %" in text_of(markup)


def test_sensitive_arguments_stand_on_no_page(client: httpx.Client, shown: Serving) -> None:
    task = shown.run("shown.log_in", "ann", "hunter2-hunter2")
    for path in (f"/tasks/{task['id']}", "/tasks", f"/functions/shown.log_in?task={task['id']}"):
        markup = page(client, path)
        assert "hunter2" not in markup
    assert 'value="[redacted]"' not in markup
    assert "> ann</textarea>" in markup
