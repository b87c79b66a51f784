"""What pages offer to copy does what the page says, in a real shell and a real Python."""

import html
import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.pooldeck_server.web.conftest import TOKEN
from tests.support.no_tls import NO_TLS
from tests.support.served import BOUND, WEB_FUNCTIONS, Served

_BIN: Final = Path(sys.executable).parent
_TRICKY: Final = [
    'it\'s "quoted" $HOME `id` !! \\ %s',
    "two\nlines\r\n\tand a tab",
    "ünïcode \N{SWIMMER} \N{RIGHT-TO-LEFT OVERRIDE}\N{NO-BREAK SPACE}",
    "\x1b[31mred\x7f",
    "true",
    "-1e5",
    "NaN",
    "--pool",
    "-",
    "a=b",
    "@file",
    " spaced ",
    "",
    10**30,
    1e-7,
    [None, True, {"deep": ["er"], "": "\u2028"}],
]
_TRICKY_WORDS: Final = [*_TRICKY[:2], "true", "-1e5", "a=b", "", [None, "\u2028"]]
_needs_commands = pytest.mark.skipif(
    find_spec("pooldeck_server.remote.submit") is None, reason="there is no such command yet"
)


def texts(page: str, group: str) -> dict[str, str]:
    """Return the texts to copy of a group, by what they are for."""
    found = re.findall(rf'<pre id="{group}-(\w+)"[^>]*>(.*?)</pre>', page, re.DOTALL)
    return {name: html.unescape(text) for name, text in found}


def run(text: str, *command: str, token: str | None = None) -> str:
    """Run a text as people who copied it do, with the token, if any, in the environment."""
    environment = {name: value for name, value in os.environ.items() if "POOLDECK" not in name}
    environment |= {} if token is None else {"POOLDECK_TOKEN": token}
    environment |= {
        "PATH": f"{_BIN}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        [*(command or ("bash",)), "-c", text],
        env=environment,
        capture_output=True,
        text=True,
        timeout=BOUND,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def stored(server: Served, function: str, *args: Any, **body: Any) -> dict[str, Any]:
    answer = server.submit(function, *args, **body)
    assert answer.status_code == 200, answer.text
    task: dict[str, Any] = answer.json()
    return task


def again(server: Served, task: dict[str, Any]) -> dict[str, str]:
    return texts(server.http.get(f"/tasks/{task['id']}").text, "again-task")


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_line_for_curl_submits_the_same_arguments_again(server: Served, shell: str) -> None:
    task = stored(server, "echo", _TRICKY)
    copied = json.loads(run(again(server, task)["curl"], shell))
    assert copied["id"] != task["id"]
    assert copied["state"] == "succeeded"  # it waits for the end
    assert (copied["args"], copied["kwargs"]) == (task["args"], task["kwargs"])


def test_how_it_was_run_is_copied_too(server: Served) -> None:
    chosen = {"priority": 7, "tags": ["a tag", "it's"], "timeout": 2.5, "pool": "io"}
    task = stored(server, "flaky", 1, retries=0, **chosen)
    copied = json.loads(run(again(server, task)["curl"]))
    same = ("function", "args", "priority", "tags", "pool", "options")
    assert {name: copied[name] for name in same} == {name: task[name] for name in same}


def test_nothing_that_is_usual_is_said(server: Served) -> None:
    task = stored(server, "add", 1)
    line = again(server, task)["curl"]
    assert line.endswith(f"""'{{"function":"{WEB_FUNCTIONS}.add","args":[1]}}'""")


def test_a_program_submits_the_same_arguments_again(server: Served) -> None:
    copied = again(server, stored(server, "echo", _TRICKY))["python"]
    assert arguments(server, run(copied, sys.executable)) == [_TRICKY]


@_needs_commands
@pytest.mark.parametrize("value", _TRICKY_WORDS, ids=repr)
def test_a_command_submits_the_same_argument_again(server: Served, value: Any) -> None:
    task = stored(server, "echo", value)
    assert json.loads(run(again(server, task)["cli"])) == value  # it waits, and prints the result


@_needs_commands
def test_a_command_submits_a_named_argument_again(server: Served) -> None:
    task = server.submit("echo", kwargs={"value": "-"}).json()
    assert json.loads(run(again(server, task)["cli"])) == "-"


def arguments(server: Served, said: str) -> list[Any]:
    """Return what the task was called with whose id a program has printed."""
    [name] = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", said)[:1]
    task = server.http.get(f"/api/v1/tasks/{name}").json()
    return [*task["args"], *task["kwargs"].values()]


def test_a_program_says_how_it_is_run(server: Served) -> None:
    chosen = {"priority": 7, "tags": ["a tag", "it's"], "timeout": 2.5, "pool": "io"}
    task = stored(server, "add", 1, retries=2, **chosen)
    said = run(again(server, task)["python"], sys.executable)
    [name] = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", said)[:1]
    copied = server.http.get(f"/api/v1/tasks/{name}").json()
    same = ("function", "args", "priority", "tags", "pool", "options")
    assert {each: copied[each] for each in same} == {each: task[each] for each in same}


_LATER: Final = {
    "arg.a": "5",
    "priority": "-3",
    "tags": "a tag, it's",
    "run_at": "2999-12-31T10:00",
    "timeout": "1.5",
    "retries": "2",
    "pool": "io",
}


def said(server: Served, printed: str) -> dict[str, Any]:
    """Return what is to be the same of a task whose id a program has printed."""
    [name] = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{27}", printed)[:1]
    task = server.http.get(f"/api/v1/tasks/{name}").json()
    return {
        each: task[each] for each in ("kwargs", "priority", "tags", "run_at", "options", "pool")
    }


def test_a_program_is_run_later_as_the_form_says(server: Served) -> None:
    page = server.http.post(f"/functions/{WEB_FUNCTIONS}.add/snippets", data=_LATER).text
    copied = texts(page, "typed")
    asked = said(server, run(copied["curl"]))
    assert (asked["tags"], asked["options"]["timeout"]) == (["a tag", "it's"], 1.5)
    assert said(server, run(copied["python"], sys.executable)) == asked


@_needs_commands
def test_a_command_is_run_later_as_the_form_says(server: Served) -> None:
    page = server.http.post(f"/functions/{WEB_FUNCTIONS}.add/snippets", data=_LATER).text
    copied = texts(page, "typed")
    assert said(server, run(copied["cli"])) == said(server, run(copied["curl"]))


@_needs_commands
def test_commands_list_and_show_tasks(server: Served) -> None:
    task = stored(server, "add", 1, tags=["for a command"])
    page = server.http.get("/tasks", params={"tag": "for a command", "since": "24h"}).text
    shown = texts(server.http.get(f"/tasks/{task['id']}").text, "this-task")
    assert task["id"] in run(shown["cli"])
    assert task["id"] in run(texts(page, "list-tasks")["cli"])
    assert run(texts(page, "retry-tasks")["cli"] + " --yes --json")


def test_programs_list_retry_and_show_tasks(server: Served) -> None:
    task = stored(server, "add", 1, tags=["for a program"])
    page = server.http.get("/tasks", params={"tag": "for a program"}).text
    shown = run(
        texts(server.http.get(f"/tasks/{task['id']}").text, "this-task")["python"], sys.executable
    )
    assert task["id"] in shown
    assert task["id"] in run(texts(page, "list-tasks")["python"], sys.executable)
    assert "'retried': 1" in run(texts(page, "retry-tasks")["python"], sys.executable)


def test_a_program_has_the_arguments_as_python_writes_them(server: Served) -> None:
    task = stored(server, "echo", _TRICKY)
    program = again(server, task)["python"]
    call = re.search(r"future = client\.submit\((.*)\)\n", program)
    assert call is not None
    assert eval(f"[{call[1]}]")[1:] == [_TRICKY]


def test_the_form_is_copied_as_it_is_typed(server: Served) -> None:
    address = f"/functions/{WEB_FUNCTIONS}.add/snippets"
    page = server.http.post(address, data={"arg.a": "5", "arg.b": "", "priority": "3"})
    assert page.status_code == 200
    assert 'value="5"' in page.text
    copied = json.loads(run(texts(page.text, "typed")["curl"]))
    assert (copied["kwargs"], copied["priority"]) == ({"a": 5}, 3)


def test_a_text_that_is_needed_is_empty_only_where_that_is_said(server: Served) -> None:
    address = f"/functions/{WEB_FUNCTIONS}.log_in/snippets"
    page = server.http.post(address, data={"arg.password": "x"})
    assert (page.status_code, "If an empty text is meant" in page.text) == (422, True)
    page = server.http.post(address, data={"arg.password": "x", "empty.user": "on"})
    assert '"kwargs":{"user":""}' in texts(page.text, "typed")["curl"]


def test_what_copies_of_changes_do_without_asking_is_said(server: Served) -> None:
    page = server.http.get("/tasks").text
    listed, _, changed = page.partition('id="retry-tasks-heading"')
    assert "Only the command line asks first." not in listed
    assert "Only the command line asks first." in changed


@pytest.mark.parametrize(("typed", "said"), [("", "This is needed."), ("x", "not a whole number")])
def test_a_form_that_could_not_be_sent_is_not_copied(server: Served, typed: str, said: str) -> None:
    page = server.http.post(f"/functions/{WEB_FUNCTIONS}.add/snippets", data={"arg.a": typed})
    assert page.status_code == 422
    assert said in page.text
    assert texts(page.text, "typed") == {}


def test_what_is_sensitive_is_left_out(server: Served) -> None:
    address = f"/functions/{WEB_FUNCTIONS}.log_in/snippets"
    page = server.http.post(address, data={"arg.user": "ann", "arg.password": "my secret"}).text
    assert "my secret" not in page
    assert "left out" in page
    assert '"kwargs":{"user":"ann"}' in texts(page, "typed")["curl"]

    task = stored(server, "log_in", "ann", "my secret")
    assert '"args":["ann"]' in again(server, task)["curl"]


def test_a_token_is_named_and_never_shown(locked: Served) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    body = {"function": f"{WEB_FUNCTIONS}.add", "args": [1]}
    task = locked.http.post("/api/v1/tasks", params={"wait": 60}, json=body, headers=bearer).json()
    page = locked.http.get(f"/tasks/{task['id']}", headers=bearer).text
    assert TOKEN not in page
    assert json.loads(run(texts(page, "this-task")["curl"], token=TOKEN))["id"] == task["id"]
    assert json.loads(run(texts(page, "again-task")["curl"], token=TOKEN))["args"] == [1]


def test_who_may_not_submit_or_sees_no_values_copies_nothing_of_them(locked: Served) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    body = {"function": f"{WEB_FUNCTIONS}.echo", "args": ["of nobody else"]}
    task = locked.http.post("/api/v1/tasks", params={"wait": 60}, json=body, headers=bearer).json()
    for name, role, values in (
        ("acts", "operator", True),
        ("sees", "viewer", True),
        ("blind", "viewer", False),
    ):
        token = _token(locked, name, role, values=values)
        page = locked.http.get(f"/tasks/{task['id']}", headers=token).text
        menu = page.partition('id="task-snippets"')[2].partition("</details>")[0]
        assert texts(menu, "this-task")
        assert ("of nobody else" in menu) == (name == "acts")
        offered = texts(locked.http.get("/tasks", headers=token).text, "retry-tasks")
        assert bool(offered) == (name == "acts")


def _token(locked: Served, name: str, role: str, *, values: bool) -> dict[str, str]:
    made = locked.http.post(
        "/api/v1/tokens",
        json={"name": name, "role": role, "values": values},
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    assert made.is_success, made.text
    return {"Authorization": f"Bearer {made.json()['secret']}"}


def test_a_list_is_copied_with_its_filter(server: Served) -> None:
    tags = ["it's copied", "a&b=c"]
    wanted = [stored(server, "add", number, tags=tags)["id"] for number in range(2)]
    stored(server, "add", 3, tags=["other"])
    page = server.http.get("/tasks", params={"tag": tags, "since": "24h", "state": "succeeded"})

    listed = json.loads(run(texts(page.text, "list-tasks")["curl"]))
    printed = run(texts(page.text, "list-tasks")["python"], sys.executable)
    retried = json.loads(run(texts(page.text, "retry-tasks")["curl"]))

    assert {each["id"] for each in listed["items"]} == {*wanted}
    assert {*re.findall(r"^{'id': '([^']+)'", printed, re.MULTILINE)} == {*wanted}
    assert retried["matched"] == 2
    assert texts(page.text, "cancel-tasks") == {}


def test_all_tasks_are_meant_expressly(server: Served) -> None:
    page = server.http.get("/tasks").text
    assert """-d '{"all":true}'""" in texts(page, "cancel-tasks")["curl"]


def test_what_is_copied_leads_to_where_the_reader_is(server: Served) -> None:
    with httpx.Client(
        base_url=f"http://localhost:{server.port}", timeout=BOUND, verify=NO_TLS
    ) as other:
        page = other.get("/tasks?state=failed").text
    assert (
        f"'http://localhost:{server.port}/api/v1/tasks?state=failed'"
        in (texts(page, "list-tasks")["curl"])
    )
