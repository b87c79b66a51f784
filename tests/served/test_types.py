"""What comes in can go out, and what a function takes in truth: with a server that is started."""

import os
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest

from tests import FUNCTIONS
from tests.support.serving import Serving, serving

MARKED = """
    from textwrap import shorten as _shorten
    from pooldeck import task

    def _from_elsewhere(function):
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs)
        wrapper.__module__ = "tools"
        return wrapper

    @task(pool="cpu")
    @_from_elsewhere
    def counts(number: int) -> int:
        return number

    @task(pool="cpu", name="marked.doubles")
    @_from_elsewhere
    def doubles(number: int) -> int:
        return number

    @_from_elsewhere
    @task(pool="cpu")
    def hidden(number: int) -> int:
        return number

    shorten = task(pool="cpu")(_shorten)

    def _swallow(function):
        return None

    @_swallow
    @task(pool="cpu")
    def lost(number: int) -> int:
        return number
"""
LOST = "it was marked with @task in line 32 of marked, which has no name for it"
HINT = "there is src/laid_out: install the project in the environment of the server (pip install"
FILES = {
    "marked.py": MARKED,
    "shop/__init__.py": "from shop.selling import sell",
    "shop/selling.py": "from pooldeck import task\n@task(pool='cpu')\ndef sell(): return 'sold'",
    "bare.py": "def work(): ...",
    "src/laid_out/__init__.py": "",
}
SETTINGS = """
functions = ["result_functions", "wrapped_functions", "marked", "shop", "bare", "laid_out"]
[pools.cpu]
kind = "process"
size = 1
spare = 0
[pools.io]
kind = "thread"
size = 1
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("types")
    for name, source in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(textwrap.dedent(source))
    (folder / "pooldeck.toml").write_text(SETTINGS)
    path = os.pathsep.join(filter(None, [str(FUNCTIONS), os.environ.get("PYTHONPATH")]))
    with serving(folder, environment={"PYTHONPATH": path}) as running:
        running.wait_until_ready()
        yield running


def run(
    server: Serving, function: str, *args: Any, **kwargs: Any
) -> tuple[Any, dict[str, Any] | None, dict[str, Any]]:
    """Return a task's result, its error, and the task."""
    body = {"function": function, "args": args, "kwargs": kwargs}
    answer = server.client.post("/api/v1/tasks", params={"wait": 60}, json=body)
    assert answer.status_code == 200, answer.text
    task = answer.json()
    return task["result"], task["error"], task


def give(server: Serving, name: str) -> Any:
    return run(server, "result_functions.give", name)[0]


def log_of(server: Serving, task: dict[str, Any]) -> list[tuple[str, str]]:
    lines = server.client.get(f"/api/v1/tasks/{task['id']}/logs").json()["items"]
    return [(line["level"], line["message"]) for line in lines]


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("sum", 49),
        ("dates", {"2026-11-01": 12}),
        ("span", "PT90S"),
        ("bytes", "aGVsbG8="),
        ("queue", [1, 2]),
        ("money", ["3 ct"]),
    ],
)
def test_results_of_data_work_go_out(server: Serving, name: str, result: Any) -> None:
    assert give(server, name) == result


@pytest.mark.parametrize(
    ("name", "message", "returned"),
    [
        ("gap", ", at [1].growth; return None", "list of 2: [{'growth': 0.04}, {'growth': nan}]"),
        ("pairs", "a key that is ('north', '2026-11') (tuple)", "dict of 1: {('north', '2026-11')"),
        ("much", "over 10,485,760; keep it in a file", "list of 100,000: [{'row': 0, 'text': 'xx"),
        ("lazy", ", at .rows; it can be read only once", "dict of 1: {'rows': <generator object"),
        ("hostile", ", at .value; return None", "Hostile: (its __repr__ raised SystemExit)"),
    ],
)
def test_a_refused_result_is_kept_as_text_and_not_run_again(
    server: Serving, name: str, message: str, returned: str
) -> None:
    _, error, task = run(server, "result_functions.give", name)
    assert error is not None
    assert (error["kind"], task["attempt"]) == ("bad_result", 1)
    assert message in error["message"]
    assert returned in error["returned"]
    assert len(error["returned"].encode()) < 5000
    page = server.client.get(f"/tasks/{task['id']}").text
    assert "What it returned" in page


def test_nothing_is_shown_of_a_refused_result_where_arguments_are_secret(server: Serving) -> None:
    _, error, task = run(server, "result_functions.give_secretly", "4711")
    assert error is not None
    assert "4711" not in str(error)
    assert "4711" not in server.client.get(f"/tasks/{task['id']}").text


def test_a_type_of_ones_own_comes_in_and_is_checked_at_the_door(server: Serving) -> None:
    assert run(server, "result_functions.doubled", "3 ct")[0] == "6 ct"
    body = {"function": "result_functions.doubled", "args": ["3 dollars"]}
    assert server.client.post("/api/v1/tasks", json=body).status_code == 422


def test_keys_that_become_text_are_said_where_they_do(server: Serving) -> None:
    result, _, stock = run(server, "result_functions.stock")
    assert result == {"7": 3}
    said = "keys of the result have become text, as JSON has no others: 7 (int)"
    assert log_of(server, stock) == [("WARNING", said)]
    reference = {"$result": stock["id"]}
    assert run(server, "result_functions.really_left", reference)[0] == 3


def test_two_keys_that_become_one_fail(server: Serving) -> None:
    result, error, _ = run(server, "result_functions.twins")
    assert result is None
    assert error is not None
    assert "two keys that become one text: 1 (int) and '1' (str)" in error["message"]


def test_a_result_that_contradicts_its_annotation_is_said(server: Serving) -> None:
    result, _, task = run(server, "result_functions.misnamed", 5)
    assert result == 5
    said = "the function returned int, and its annotation says list[str]"
    assert log_of(server, task) == [("WARNING", said)]
    assert log_of(server, run(server, "result_functions.misnamed", ["a"])[2]) == []


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "result"),
    [
        ("send", [7], {}, "7 by a database"),
        ("send", [], {"number": 7}, "7 by a database"),
        ("archive", [7], {}, "7 of acme"),
        ("wipe", [7], {}, "wiped 7"),
        ("wipe", [7], {"dry_run": True}, "dry"),
        ("wipe", [], {"dry_run": True}, "dry"),
        ("post", ["2026-01-02"], {}, "02.01.2026 by a prepared one"),
        ("post", [], {"day": "2026-01-02", "token": "x"}, "02.01.2026 by a prepared one!"),
    ],
)
def test_what_a_decorator_hands_in_need_not_be_given(
    server: Serving, function: str, args: list[Any], kwargs: dict[str, Any], result: str
) -> None:
    assert run(server, f"wrapped_functions.{function}", *args, **kwargs)[0] == result


def test_secrets_stay_hidden_where_nobody_knows_what_a_wrapper_takes(server: Serving) -> None:
    for args, kwargs in ((["2026-01-02", "4711"], {}), (["2026-01-02"], {"token": "4711"})):
        body = {"function": "wrapped_functions.post", "args": args, "kwargs": kwargs}
        task = server.client.post("/api/v1/tasks", params={"wait": 60}, json=body).json()
        assert "4711" not in str(task["args"]) + str(task["kwargs"])


def test_a_form_asks_only_for_what_is_not_handed_in(server: Serving) -> None:
    page = server.client.get("/functions/wrapped_functions.send").text
    assert 'name="arg.number"' in page
    assert 'name="arg.database"' not in page
    origin = {"Origin": str(server.client.base_url).rstrip("/")}
    answer = server.client.post(
        "/functions/wrapped_functions.send", data={"arg.number": "7"}, headers=origin
    )
    assert answer.status_code == 303, answer.text
    task = answer.headers["location"].rpartition("/")[2]
    found = server.client.get(f"/api/v1/tasks/{task}", params={"wait": 30}).json()
    assert (found["args"], found["kwargs"]) == ([], {"number": 7})


def test_where_nobody_knows_a_form_offers_what_is_possible(server: Serving) -> None:
    page = server.client.get("/functions/wrapped_functions.post").text
    for name in ("args", "day", "database", "token", "kwargs"):
        assert f'name="arg.{name}"' in page


@pytest.mark.parametrize(
    ("function", "args", "result"),
    [
        ("marked.counts", [3], 3),
        ("marked.doubles", [3], 3),
        ("marked.hidden", [3], 3),
        ("marked.shorten", ["two words", 8], "[...]"),
        ("shop.sell", [], "sold"),
    ],
)
def test_what_a_module_holds_can_be_called_by_its_name_there(
    server: Serving, function: str, args: list[Any], result: Any
) -> None:
    assert run(server, function, *args)[0] == result


def test_what_cannot_be_called_is_named_with_its_reason(server: Serving) -> None:
    listed = server.client.get("/api/v1/functions").json()
    problems = {each["name"]: each["problem"] for each in listed["items"] if each["problem"]}
    assert problems == {"marked.lost": LOST}
    assert listed["empty_modules"] == ["bare"]
    (failed,) = listed["failed_modules"]
    assert failed["module"] == "laid_out"
    assert HINT in failed["message"]
    page = server.client.get("/functions").text
    assert "registers no function" in page
    assert "marked.lost" in page


def test_a_name_that_looks_alike_in_its_last_part_is_offered(server: Serving) -> None:
    answer = server.client.post("/api/v1/tasks", json={"function": "textjobs.shorten"})
    assert "did you mean marked.shorten?" in answer.json()["detail"]


def test_the_servers_log_says_what_cannot_be_called(server: Serving) -> None:
    server.stop()
    said = "".join(server.said)
    for words in (LOST, HINT, "the module bare registers no function: mark one in it with @task"):
        assert words in said
