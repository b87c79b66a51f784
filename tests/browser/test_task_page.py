"""The page of a task in a real browser: its way, its log as it grows, its stack, its values."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.browser.looking import DESK, LOOKS, PHONE, Open, barriers, expect_live, submitted
from tests.browser.reading import page, page_with, post, text_of
from tests.support.serving import Serving


def taken(opened: Page) -> list[str | None]:
    """Return the states of the path, as the page marks them."""
    nodes = opened.locator("#way li[data-taken]").all()
    return [node.get_attribute("data-state") for node in nodes]


# A task that runs.


def test_an_open_page_follows_a_task_to_its_end(
    open_page: Open, shown: Serving, flag: Path
) -> None:
    task_id = submitted(shown, "shown.narrate", str(flag))
    opened = open_page(f"/tasks/{task_id}", **DESK)
    lines = opened.locator("#log-lines li")
    expect(opened.locator("#way [data-present]")).to_have_attribute("data-state", "running")
    expect(lines.filter(has_text="before the file")).to_have_count(1)
    before = opened.locator("#log-lines").element_handle()
    assert taken(opened) == ["queued", "running"]
    assert opened.locator("[class^=segment-run]").count() == 2  # the bar and its legend
    flag.touch()
    expect(lines.filter(has_text="after the file")).to_have_count(1)
    expect(lines.filter(has_text="before the file")).to_have_count(1)
    assert before is not None
    assert before.evaluate("list => list.isConnected")  # new lines were added, not all exchanged
    expect(opened.locator(".task-state .state")).to_have_text("succeeded")
    assert taken(opened) == ["queued", "running", "succeeded"]
    expect(opened.locator(".legend")).to_contain_text("recording the end")
    assert barriers(opened) == []


def test_all_times_of_one_end_say_the_same_at_any_moment(
    open_page: Open, shown: Serving, flag: Path
) -> None:
    task_id = submitted(shown, "shown.wait", str(flag))
    opened = open_page(f"/tasks/{task_id}", **DESK)
    expect_live(opened)
    flag.touch()
    expect(opened.locator(".task-state .state")).to_have_text("succeeded")
    ended = shown.client.get(f"/api/v1/tasks/{task_id}").json()["finished_at"]
    said = opened.evaluate(_SAID_OF_A_MOMENT, ended)
    assert min(len(each) for each in said) >= 2
    assert [each for each in said if len(set(each)) > 1] == []
    assert len({each[0] for each in said}) > 1  # it went on meanwhile


# What is said of a moment at all its places, in each picture of a second and a half.
_SAID_OF_A_MOMENT = """moment => new Promise(done => {
  const said = [], end = performance.now() + 1500;
  const look = () => {
    const places = [...document.querySelectorAll("[data-ago]")].filter(
      each => Date.parse(each.dataset.ago || each.dateTime) === Date.parse(moment));
    said.push(places.map(each => each.textContent));
    performance.now() < end ? requestAnimationFrame(look) : done(said);
  };
  look();
})"""


def test_an_open_page_shows_the_log_of_an_attempt_that_begins_later(
    open_page: Open, shown: Serving
) -> None:
    task_id = submitted(shown, "shown.tell", ["at last"], delay=5)
    opened = open_page(f"/tasks/{task_id}", **DESK)
    assert taken(opened) == ["scheduled"]
    expect(opened.locator(".log-empty")).to_be_visible()
    expect(opened.locator("#log-lines li")).to_have_count(1)
    expect(opened.locator("#log-lines")).to_contain_text("at last")
    expect(opened.locator(".task-state .state")).to_have_text("succeeded")
    assert taken(opened) == ["scheduled", "queued", "running", "succeeded"]


def test_the_stack_is_shown_on_the_page_and_outlives_its_changes(
    open_page: Open, shown: Serving, flag: Path
) -> None:
    task_id = submitted(shown, "shown.hold", str(flag))
    opened = open_page(f"/tasks/{task_id}", **PHONE)
    stack = opened.locator("#stack-shown")
    expect(stack).to_be_hidden()
    opened.get_by_role("link", name="Show its stack").click()
    expect(stack).to_contain_text("in _wait_for")
    expect(opened.locator("#stack-heading")).to_be_focused()
    opened.get_by_role("button", name="Look again").click()
    expect(stack.locator(".frame-own").first).to_contain_text("shown.py")
    assert barriers(opened) == []
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
    flag.touch()
    expect(opened.locator(".task-state .state")).to_have_text("succeeded")
    expect(stack).to_contain_text("in _wait_for")
    opened.get_by_role("button", name="Close").click()
    expect(stack).to_be_hidden()


def test_a_kill_says_who_it_was_and_why(open_page: Open, shown: Serving, flag: Path) -> None:
    task_id = submitted(shown, "shown.hold", str(flag))
    opened = open_page(f"/tasks/{task_id}", **DESK)
    opened.get_by_role("link", name="Kill task").click()
    opened.get_by_label("Reason").fill("it <b>hangs</b>")
    opened.get_by_role("button", name="Kill task").click()
    expect(opened.locator(".flash")).to_contain_text("It was killed")
    expect(opened.locator("#killed")).to_contain_text("it <b>hangs</b>")
    expect(opened.locator(".task-state .state")).to_have_text("cancelled")
    assert taken(opened) == ["queued", "running", "cancelled"]


# Failures and attempts.


@LOOKS
def test_a_failure_shows_its_causes_and_leads_to_those_like_it(
    open_page: Open, shown: Serving, look: dict[str, Any]
) -> None:
    for word in ("nowhere", "somewhere"):
        task = shown.run("shown.fail", word)
    opened = open_page(f"/tasks/{task['id']}", **look)
    expect_live(opened)
    errors = opened.locator(".error")
    expect(errors.nth(0)).to_contain_text("ValueError")
    expect(errors.nth(1)).to_contain_text("caused by KeyError")
    expect(errors.locator(".frame-own").first).to_contain_text("shown.py")
    expect(opened.locator("#runs [aria-current]")).to_have_attribute("id", f"run-{task['id']}")
    assert barriers(opened) == []
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")
    opened.locator("#group").click()
    expect(opened.locator("main")).to_contain_text("ValueError")


def test_a_task_that_was_run_again_shows_the_loop_and_each_attempt(
    open_page: Open, shown: Serving
) -> None:
    task = shown.run("shown.stumble")
    opened = open_page(f"/tasks/{task['id']}", **DESK)
    expect(opened.locator(".way-earlier")).to_have_text("1 earlier attempt")
    expect(opened.locator(".attempts > li")).to_have_count(2)
    expect(opened.locator("#log-lines")).to_contain_text("attempt 2")
    opened.locator("#log-of-1").click()
    expect(opened.locator("#log-lines")).to_contain_text("attempt 1")
    expect(opened.locator("#log-heading")).to_have_text("Log of attempt 1")


def test_the_arrow_keys_go_from_run_to_run(open_page: Open, shown: Serving) -> None:
    ids = [shown.run("shown.tell", [])["id"] for _ in range(3)]
    opened = open_page(f"/tasks/{ids[1]}", **DESK)
    stops = opened.locator("#runs a[tabindex='0']")
    expect(stops).to_have_count(1)
    stops.focus()
    opened.keyboard.press("ArrowRight")
    expect(opened.locator(f'[id="run-{ids[2]}"]')).to_be_focused()
    expect(stops).to_have_count(1)
    opened.keyboard.press("Enter")
    expect(opened.locator("#task-id")).to_have_text(ids[2])


# Logs.


def test_a_long_log_shows_its_end_first_and_gives_the_rest_in_place(
    open_page: Open, shown: Serving
) -> None:
    task = shown.run("shown.tell", [f"line {n} of many" for n in range(450)])
    opened = open_page(f"/tasks/{task['id']}", **DESK)
    lines = opened.locator("#log-lines li")
    expect(lines).to_have_count(200)
    opened.locator("#log-lines").scroll_into_view_if_needed()
    expect(lines.last).to_be_in_viewport()
    expect(lines.last).to_contain_text("line 449 of many")
    for number in (400, 450):
        opened.get_by_role("link", name="Earlier lines").click()
        expect(lines).to_have_count(number)
    expect(opened.get_by_role("link", name="Earlier lines")).to_have_count(0)
    told = [text.split()[-3] for text in lines.all_inner_texts()]
    assert told == [str(n) for n in range(450)]


def test_without_javascript_a_long_log_is_turned_page_by_page(
    client: httpx.Client, shown: Serving
) -> None:
    task = shown.run("shown.tell", [f"line {n} of many" for n in range(250)])
    newest = page(client, f"/tasks/{task['id']}").partition('id="log"')[2]
    assert "line 49 of many" not in newest
    (earlier,) = re.findall(r'id="earlier" href="[^"?]*\?([^"#]*)', newest)
    older = page(client, f"/tasks/{task['id']}?{earlier}").partition('id="log"')[2]
    assert "line 49 of many" in older
    assert "line 50 of many" not in older
    assert "To the end" in text_of(older)


def test_the_levels_of_a_log_can_be_narrowed(client: httpx.Client, shown: Serving) -> None:
    task = shown.run("shown.narrate", "/")
    assert "before the file" in page(client, f"/tasks/{task['id']}?level=INFO")
    narrowed = page(client, f"/tasks/{task['id']}?level=WARNING")
    assert "before the file" not in narrowed
    assert "after the file" in narrowed
    assert "Nothing of these levels." in text_of(page(client, f"/tasks/{task['id']}?level=ERROR"))
    wrong = page(client, f"/tasks/{task['id']}?level=LOUD", 422)
    assert "There is no level LOUD" in text_of(wrong)
    assert "Lines of all levels are shown." in text_of(wrong)
    assert "before the file" in wrong


def test_a_line_of_a_log_has_an_address_that_opens_the_log_there(
    open_page: Open, shown: Serving
) -> None:
    task = shown.run("shown.tell", [f"line {n} of many" for n in range(450)])
    opened = open_page(f"/tasks/{task['id']}#line-120", **DESK)
    expect(opened.locator("#line-120")).to_be_in_viewport()
    expect(opened.locator("#line-120:target")).to_contain_text("line 119 of many")
    link = opened.locator("#line-130 .log-n").get_attribute("href")
    opened.locator("#line-130 .log-n").click()
    expect(opened.locator("#line-130:target")).to_have_count(1)
    assert link is not None
    without_script = page(shown.client, link.partition("#")[0])
    assert 'id="line-130"' in without_script
    assert 'id="line-450"' not in without_script


def test_a_log_is_searched_wrapped_and_taken_along(
    open_page: Open, shown: Serving, client: httpx.Client
) -> None:
    task = shown.run("shown.tell", [f"said {word}" for word in ("one", "TWO", "three", "two %")])
    opened = open_page(f"/tasks/{task['id']}", **PHONE)
    opened.get_by_role("searchbox", name="Search in the log").fill("two")
    opened.get_by_role("button", name="Search", exact=True).click()
    expect(opened.locator("#log-lines [data-n]")).to_have_count(2)
    expect(opened.locator("#log-lines .log-gap")).to_have_count(0)  # nothing is lost
    message = opened.locator("#log-lines .message").first
    expect(message).to_have_css("white-space", "pre-wrap")
    opened.get_by_label("Wrap lines").uncheck()
    expect(message).to_have_css("white-space", "pre")
    assert barriers(opened) == []
    found = client.get(f"/tasks/{task['id']}/log.txt?find=two%20%25").text.splitlines()
    assert [line.partition("WARNING ")[2] for line in found] == ["shown said two %"]
    whole = client.get(f"/tasks/{task['id']}/log.txt")
    assert len(whole.text.splitlines()) == 4
    assert whole.headers["content-type"].startswith("text/plain")


def test_a_task_that_failed_shows_why_before_what_it_was_given(
    shown: Serving, client: httpx.Client
) -> None:
    task = shown.run("shown.tint")
    text = text_of(page(client, f"/tasks/{task['id']}"))
    order = ["Traceback", "Its last words", "Arguments", "Where the time went", "Download as text"]
    assert sorted(order, key=text.index) == order


def test_a_crash_shows_the_thread_that_did_it_and_folds_the_others(
    open_page: Open, shown: Serving
) -> None:
    task = shown.run("shown.die")
    opened = open_page(f"/tasks/{task['id']}", **DESK)
    expect(opened.locator("[data-thread=guilty]")).to_contain_text("in die")
    expect(opened.locator("[data-thread=other]").first).to_be_hidden()
    assert barriers(opened) == []


# Values.


def test_values_are_copied_exactly_as_they_are_stored(open_page: Open, shown: Serving) -> None:
    text = '{"mode":"fit","big":123456789012345678901234567890,"e":"\\u00e9"}'
    task = shown.run("shown.tell", [text])
    opened = open_page(f"/tasks/{task['id']}", **DESK)
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.locator("#copy-args").click()
    expect(opened.locator("#copy-args")).to_have_text("Copied")
    copied = opened.evaluate("navigator.clipboard.readText()")
    assert json.loads(copied) == [[text]]
    assert copied == shown.client.get(f"/tasks/{task['id']}/args.json").text


def test_escaped_arguments_read_as_text_and_lists_in_them_fold(
    open_page: Open, shown: Serving
) -> None:
    body = r'{"function": "shown.tell", "args": [["\u7814\u53d1", "two", "three"]]}'
    as_json = {"Content-Type": "application/json"}
    task = shown.client.post("/api/v1/tasks?wait=30", content=body, headers=as_json).json()
    opened = open_page(f"/tasks/{task['id']}", **DESK)
    line = opened.locator("#json-args .json-line", has_text="研发")
    expect(line).to_be_visible()
    opened.locator("#json-args summary").last.click()
    expect(line).to_be_hidden()
    opened.goto("/tasks")
    row = opened.locator("tr", has=opened.locator(f"#task-{task['id']}"))
    expect(row.locator(".cell-arguments")).to_contain_text("研发")


def test_what_was_never_returned_cannot_be_had(client: httpx.Client, shown: Serving) -> None:
    task = shown.run("shown.fail", "result")
    assert client.get(f"/tasks/{task['id']}/result.json").status_code == 404
    assert client.get(f"/tasks/{task['id']}/fingerprint.json").status_code == 422


def test_sensitive_values_are_hidden_where_they_are_stored_too(
    client: httpx.Client, shown: Serving
) -> None:
    task_id = submitted(shown, "shown.log_in", "ann", "hunter2-hunter2", delay=3600)
    for path in ("", "/args.json", "/kwargs.json", "/log", "/kill"):
        assert "hunter2" not in client.get(f"/tasks/{task_id}{path}").text
    assert "ann" in client.get(f"/tasks/{task_id}/args.json").text
    post(client, f"/tasks/{task_id}/cancel")


def test_a_cancelled_task_shows_the_way_around_what_it_never_reached(
    client: httpx.Client, shown: Serving
) -> None:
    task_id = submitted(shown, "shown.add", 1, delay=3600)
    post(client, f"/tasks/{task_id}/cancel")
    markup = page_with(client, f"/tasks/{task_id}", 'data-final="yes"')
    way = markup.partition('id="way"')[2].partition("</ol>")[0]
    assert re.findall(r'data-state="(\w+)" data-taken', way) == ["scheduled", "cancelled"]
    assert "data-ahead" not in way
