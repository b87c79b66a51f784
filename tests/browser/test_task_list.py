"""The list of tasks in a browser: filters, orders, completion, views that are kept, choosing."""

import csv
import html
import json
import re
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.looking import Open, barriers, expect_live, submitted
from tests.browser.reading import page, page_with, post, text_of
from tests.support.serving import Serving

SLOW = 30_000  # milliseconds for what takes a commit, a frame and a fetch


def batch(client: httpx.Client, tag: str, number: int, function: str = "shown.add") -> list[str]:
    """Submit tasks with a tag and wait for their end; return their ids."""
    args = [str(n) if function == "shown.fail" else n for n in range(number)]
    tasks = [{"function": function, "args": [text], "tags": [tag]} for text in args]
    ids: list[str] = client.post("/api/v1/tasks/batch", json={"tasks": tasks}).json()["ids"]
    for task_id in ids:
        client.get(f"/api/v1/tasks/{task_id}", params={"wait": 30})
    return ids


def ids_on(markup: str) -> list[str]:
    return re.findall(r'id="task-([0-9a-f-]{36})"', markup)


def hidden(markup: str) -> dict[str, list[str]]:
    """Return the hidden fields of a question's form."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', markup):
        found.setdefault(name, []).append(html.unescape(value))
    return found


def listed(shown: Page) -> list[str]:
    """Return the ids that the list in a browser shows."""
    ids: list[str] = shown.locator("#task-list input[name=id]").evaluate_all(
        "boxes => boxes.map(box => box.value)"
    )
    return ids


def expect_listed(shown: Page, ids: list[str]) -> None:
    """Wait until the list is there, which follows its address, and compare."""
    expect(shown.locator("#task-list input[name=id]")).to_have_count(len(ids))
    assert listed(shown) == ids


# Without JavaScript.


def test_every_filter_and_order_works_as_a_plain_form(client: httpx.Client, shown: Serving) -> None:
    failed = shown.run("shown.fail", "plain")
    waited = shown.run("shown.nap", 0.03)
    words = "within=1h&error=exception&q=plain&sort=finished&function=&pool=&tag=&since=&until="
    markup = page(client, f"/tasks?{words}")
    assert ids_on(markup) == [failed["id"]]
    assert "last hour" in text_of(markup)
    assert waited["id"] in ids_on(page(client, "/tasks?sort=run"))
    later = page(client, "/tasks?since=2100-01-01T00:00")
    assert ids_on(later) == []
    assert 'name="since" step="1" value="2100-01-01T00:00:00"' in later


def test_words_with_a_key_lead_to_the_address_that_they_mean(client: httpx.Client) -> None:
    answer = client.get("/tasks", params={"q": "state:failed tag:never-used some text"})
    assert answer.headers["location"] == "/tasks?state=failed&tag=never-used&q=some+text"


def test_a_group_of_errors_is_a_filter_of_pages_and_of_the_api(
    client: httpx.Client, shown: Serving
) -> None:
    task_id = shown.run("shown.fail", "grouped")["id"]
    groups = client.get("/api/v1/errors").json()["items"]
    (group,) = [each["id"] for each in groups if each["message"] == "no place for grouped"]
    assert task_id in ids_on(page(client, f"/tasks?group={group}"))
    answer = client.get("/api/v1/tasks", params={"group": group, "limit": 500}).json()
    assert task_id in [item["id"] for item in answer["items"]]
    assert f"error group {group}" in text_of(page(client, f"/tasks/retry?group={group}"))


def test_totals_are_exact_where_counters_tell_and_bounded_elsewhere(client: httpx.Client) -> None:
    batch(client, "counted", 3)
    assert "3 tasks" in text_of(page(client, "/tasks?tag=counted"))
    exact = client.get("/api/v1/tasks", params={"state": "failed", "limit": 500}).json()["items"]
    page_with(client, "/tasks?state=failed", f"{len(exact)} task")


def test_chosen_tasks_are_confirmed_by_number_and_changed_without_javascript(
    client: httpx.Client, shown: Serving
) -> None:
    done = batch(client, "chosen", 2)
    waiting = submitted(shown, "shown.add", 1, delay=3600, tags=["chosen"])
    fields = {"id": [*done, waiting], "back": "/tasks?tag=chosen"}
    origin = {"origin": str(client.base_url).rstrip("/"), "sec-fetch-site": "same-origin"}
    asked = client.post("/tasks/chosen/retry", data=fields, headers=origin).text
    assert "Retry 2 tasks?" in text_of(asked)
    assert "1 of those that you chose stays as it is" in text_of(asked)
    answer = client.post("/tasks/retry", data=hidden(asked), headers=origin)
    assert answer.headers["location"].startswith("/tasks?tag=chosen&did=many")
    asked = client.post("/tasks/chosen/cancel", data=fields, headers=origin).text
    client.post("/tasks/cancel", data=hidden(asked), headers=origin)
    assert client.get(f"/api/v1/tasks/{waiting}").json()["state"] == "cancelled"
    assert client.get(f"/api/v1/tasks/{done[0]}").json()["attempt"] == 2


def test_to_choose_nothing_is_explained(client: httpx.Client) -> None:
    answer = post(client, "/tasks/chosen/cancel")
    assert answer.status_code == 422
    assert "no task was chosen" in text_of(answer.text).lower()


def test_no_answer_leads_away_from_the_server(client: httpx.Client, shown: Serving) -> None:
    task_id = shown.run("shown.add", 1)["id"]
    answer = post(client, "/tasks/retry", id=task_id, back="//example.org/")
    assert answer.headers["location"].startswith("/?did=many")


# In a browser.


def test_chips_orders_and_the_form_lead_from_one_list_to_the_next(
    open_page: Open, client: httpx.Client
) -> None:
    ids = batch(client, "chips", 2)
    (failed,) = batch(client, "chips", 1, "shown.fail")
    shown = open_page("/tasks?tag=chips")
    expect_live(shown)
    assert listed(shown) == [failed, *ids[::-1]]
    shown.locator("#chip-failed").click()
    expect(shown).to_have_url(re.compile(r"state=failed&tag=chips"))
    expect_listed(shown, [failed])
    shown.get_by_role("link", name="tag chips").click()
    expect(shown).to_have_url(re.compile(r"/tasks\?state=failed$"))
    shown.get_by_role("link", name="Ended last").click()
    expect(shown.locator(".sorts [aria-current]")).to_have_text("Ended last")
    assert barriers(shown) == []


def test_the_search_completes_words_by_the_keyboard_and_makes_them_chips(
    open_page: Open, client: httpx.Client
) -> None:
    (task_id,) = batch(client, "completed tag", 1)
    shown = open_page("/tasks")
    search = shown.get_by_role("combobox", name="Search")
    search.press_sequentially("completed t")
    search.fill("complet")
    option = shown.get_by_role("option", name="tag completed tag")
    expect(option).to_be_visible()
    expect(search).to_have_attribute("aria-expanded", "true")
    assert barriers(shown) == []
    search.press("Escape")
    expect(option).to_be_hidden()
    search.press_sequentially("e")
    expect(option).to_be_visible()
    search.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    search.press("Enter")
    expect(shown).to_have_url(re.compile(r"/tasks\?tag=completed\+tag$"))
    expect_listed(shown, [task_id])


def test_a_view_is_kept_under_a_name_and_removed_again(open_page: Open) -> None:
    shown = open_page("/tasks?state=lost&tag=kept&since=15m")
    shown.get_by_role("button", name="Save this view").click()
    shown.get_by_label("Name of the view").fill("Lost ones")
    shown.keyboard.press("Enter")
    kept = shown.get_by_role("link", name="Lost ones")
    expect(kept).to_have_attribute("aria-current", "page")
    shown.goto("/tasks")
    kept.click()
    expect(shown).to_have_url(re.compile(r"/tasks\?state=lost&tag=kept&since=15m$"))
    expect(kept).to_have_attribute("aria-current", "page")
    assert barriers(shown) == []
    shown.get_by_role("button", name="Remove the view Lost ones").click()
    expect(kept).to_have_count(0)
    shown.reload()
    expect(kept).to_have_count(0)


def test_what_is_chosen_stays_chosen_while_the_list_goes_on(
    open_page: Open, client: httpx.Client
) -> None:
    first, second = batch(client, "picked", 2)
    looking = open_page("/tasks?tag=picked")
    expect_live(looking)
    retry = looking.get_by_role("button", name="Retry chosen")
    expect(retry).to_be_disabled()
    looking.locator(f"#choose-{first}").check()
    (third,) = batch(client, "picked", 1)
    news = looking.locator("#list-news button")
    expect(news).to_have_text("1 new task", timeout=SLOW)
    expect(looking.locator(f"#choose-{third}")).to_have_count(0)  # nothing has moved
    news.click()
    expect(looking.locator(f"#choose-{third}")).to_be_visible()
    expect(looking.locator(f"#choose-{first}")).to_be_checked()
    expect(looking.locator(f"#choose-{third}")).not_to_be_checked()
    expect(looking.locator("#chosen-number")).to_have_text("1 chosen")
    batch(client, "picked", 50)  # the chosen one is on the next page now
    expect(news).to_have_text("50 new tasks", timeout=SLOW)
    news.click()
    expect(looking.locator(f"#choose-{third}")).to_have_count(0)
    looking.get_by_label("All on this page").check()
    expect(looking.locator("#chosen-number")).to_have_text("51 chosen")
    retry.click()
    expect(looking.get_by_role("heading", level=1)).to_have_text("Retry 51 tasks?")
    looking.get_by_role("button", name="Retry 51 tasks").click()
    expect(looking.locator(".flash")).to_have_text("51 queued again.")
    answer = client.get(f"/api/v1/tasks/{first}", params={"wait": 30}).json()
    assert (answer["attempt"], client.get(f"/api/v1/tasks/{second}").json()["attempt"]) == (2, 1)


def test_rows_stay_under_a_resting_mouse_and_stay_true(
    open_page: Open, client: httpx.Client, shown: Serving, flag: Path
) -> None:
    task_id = submitted(shown, "shown.wait", str(flag), tags=["rests"])
    looking = open_page("/tasks?tag=rests")
    expect_live(looking)
    row = looking.locator(f'[data-row-id="{task_id}"]')
    row.hover()
    batch(client, "rests", 3)
    news = looking.locator("#list-news button")
    expect(news).to_have_text("3 new tasks", timeout=SLOW)
    flag.touch()
    expect(row.locator(".cell-state")).to_contain_text("succeeded", timeout=SLOW)
    assert listed(looking) == [task_id]
    looking.mouse.move(2, 2)
    expect(looking.locator("#task-list input[name=id]")).to_have_count(4)
    expect(news).to_be_hidden()


def test_what_a_search_cannot_mean_is_said_beside_it_and_stays_there(
    browser: Browser, client: httpx.Client
) -> None:
    answer = client.get("/tasks", params={"q": "state:faild tag:x"})
    assert answer.status_code == 422
    assert 'value="state:faild tag:x"' in answer.text
    for wrong in ("sort=odd", "since=soon", "state=odd"):
        assert "Nothing is listed until this is mended." in page(client, f"/tasks?{wrong}", 422)
    looking = browser.new_page(base_url=str(client.base_url))  # its console tells of the 422
    looking.goto("/tasks")
    looking.get_by_role("combobox", name="Search").fill("state:faild")
    looking.keyboard.press("Enter")
    expect(looking.get_by_role("alert")).to_contain_text('There is no state "faild"')
    expect(looking.get_by_role("combobox", name="Search")).to_have_value("state:faild")
    assert barriers(looking) == []
    looking.close()


def test_an_error_is_in_its_row_and_cells_narrow_the_list(
    open_page: Open, client: httpx.Client
) -> None:
    (failed,) = batch(client, "cells", 1, "shown.fail")
    batch(client, "cells", 1)
    looking = open_page("/tasks?tag=cells")
    row = looking.locator(f'[data-row-id="{failed}"]')
    expect(row.locator(".cell-error")).to_contain_text("ValueError")
    expect(row.locator(".cell-error")).to_contain_text("no place for 0")
    expect(looking.locator("#chip-succeeded")).to_contain_text("1")
    row.get_by_role("link", name="failed (only these)").click()
    expect(looking).to_have_url(re.compile(r"state=failed&tag=cells$"))
    expect_listed(looking, [failed])
    expect(looking.locator("#chip-succeeded")).to_contain_text("1")
    assert barriers(looking) == []


def test_columns_are_chosen_ordered_and_kept(open_page: Open, client: httpx.Client) -> None:
    batch(client, "columned", 1)
    looking = open_page("/tasks?tag=columned")
    headings = looking.locator("#task-list th")
    expect(headings).to_have_text(
        ["Choose", "State", "Function", "Arguments", "Pool", "Created", "Wait", "Run", "Worker"]
    )
    looking.locator("#columns-menu summary").click()
    for name in ("Pool", "Wait", "Run", "Worker", "Arguments", "Created"):
        looking.get_by_label(name, exact=True).last.uncheck()
    looking.get_by_label("Tags", exact=True).check()
    looking.get_by_label("Place of Tags").fill("0")
    assert barriers(looking) == []
    looking.locator("#keep-columns").click()
    expect(headings).to_have_text(["Choose", "Tags", "State", "Function"])
    expect(looking).to_have_url(re.compile(r"/tasks\?tag=columned$"))
    looking.goto("/tasks?columns=run.function.nonsense")
    expect(headings).to_have_text(["Choose", "Run", "Function"])
    looking.goto("/tasks?tag=columned")
    expect(headings).to_have_text(["Choose", "Tags", "State", "Function"])
    looking.locator("#columns-menu summary").click()
    looking.locator("#usual-columns").click()
    expect(headings).to_have_count(9)


def test_what_is_listed_is_had_as_a_file(client: httpx.Client, shown: Serving) -> None:
    (failed,) = batch(client, "taken-along", 1, "shown.fail")
    shown.run("shown.tell", ["=1+1"])
    markup = page(client, "/tasks?tag=taken-along")
    addresses = re.findall(r'id="export-\d" href="([^"]*)"', markup)
    as_csv, as_lines = (client.get(html.unescape(each)) for each in addresses)
    (row,) = csv.DictReader(as_csv.text.splitlines())
    assert (row["id"], row["error_type"], row["tags"]) == (failed, "ValueError", "taken-along")
    (task,) = map(json.loads, as_lines.text.splitlines())
    assert (task["id"], task["state"]) == (failed, "failed")
    formula = batch(client, "=cmd()", 1)
    (row,) = csv.DictReader(
        client.get("/api/v1/tasks/export", params={"tag": "=cmd()"}).text.splitlines()
    )
    assert (row["id"], row["tags"]) == (formula[0], "'=cmd()")


def test_progress_moves_in_the_list_without_a_reload(
    open_page: Open, shown: Serving, flag: Path
) -> None:
    task_id = submitted(shown, "shown.wait", str(flag), tags=["moving"])
    page_with(shown.client, "/tasks?tag=moving", "<progress")
    looking = open_page("/tasks?tag=moving")
    bar = looking.locator("#task-list progress")
    expect(bar).to_have_attribute("value", "0.25")
    flag.touch()
    expect(bar).to_have_count(0, timeout=SLOW)
    expect(looking.locator("#task-list .state")).to_have_text("succeeded")
    assert listed(looking) == [task_id]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_list_keeps_nobody_out_and_nothing_sticks_out(
    open_page: Open, scheme: str, width: int
) -> None:
    size = {"width": width, "height": 800}
    shown = open_page("/tasks?since=1h&sort=run&q=add", color_scheme=scheme, viewport=size)
    expect_live(shown)
    assert barriers(shown) == []
    wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert shown.evaluate(wide)
