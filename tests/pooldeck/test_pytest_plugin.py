"""The fixtures for users' tests: one behaviour, whoever runs the tasks."""

import asyncio
import os
import subprocess
import sys
import textwrap
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pooldeck.client import default_client
from pooldeck.client.errors import BadArguments, Refused, RemoteError, UnknownFunction
from pooldeck.pytest_plugin import TaskDeck
from tests import ROOT
from tests.functions.plugin_functions import (
    OutOfPaperError,
    add,
    add_later,
    echo,
    fail,
    flaky,
    later,
    login,
    talkative,
    unencodable,
    weekday,
)

pytestmark = pytest.mark.pooldeck_functions("tests.functions.plugin_functions")
SECONDS = 60.0


@pytest.fixture(scope="session")
def deck_settings() -> dict[str, Any]:
    return {"pools": {"cpu": {"kind": "process", "size": 1, "spare": 0}}}


@pytest.fixture(params=["deck_inline", "deck_server"])
def deck(request: pytest.FixtureRequest) -> TaskDeck:
    found: TaskDeck = request.getfixturevalue(request.param)
    return found


@pytest.mark.usefixtures("deck")
def test_functions_run_and_their_results_come_back_through_json() -> None:
    assert add.submit(2, 3).result(SECONDS) == 5
    assert echo.submit((1, {"a": date(2026, 1, 2)})).result(SECONDS) == [1, {"a": "2026-01-02"}]
    assert weekday.submit(date(2026, 1, 2)).result(SECONDS) == 4
    assert later.submit(7).result(SECONDS) == 7
    assert list(add.map([1, 2], [3, 4])) == [4, 6]


def test_what_was_submitted_is_recorded_in_its_order(deck: TaskDeck) -> None:
    add.submit(2, b=3).result(SECONDS)
    login.options(tags=["a"], priority=7).submit("ada", secret="x").result(SECONDS)

    first, second = deck.tasks
    assert (first["function"], first["args"], first["kwargs"]) == (
        "tests.functions.plugin_functions.add",
        [2],
        {"b": 3},
    )
    assert (first["state"], first["future"], first["attempt"]) == ("succeeded", "FINISHED", 1)
    assert (second["tags"], second["priority"]) == (["a"], 7)
    assert second["kwargs"] == {"secret": "[redacted]"}


def test_a_test_begins_with_nothing(deck: TaskDeck) -> None:
    assert deck.tasks == []
    add.options(delay=3600).submit(1, 2).stored()


def test_arguments_that_do_not_fit_are_refused_as_by_the_server(deck: TaskDeck) -> None:
    future = add.submit("2", 3)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(BadArguments, match="a: ") as refused:
        future.stored(SECONDS)
    assert refused.value.extra["argument"] == "a"
    with pytest.raises(BadArguments, match="b: missing"):
        add.delay(2)  # type: ignore[call-arg]  # on purpose
    with pytest.raises(UnknownFunction, match="no function called"):
        deck.client.submit("tests.functions.plugin_functions.nothing").stored(SECONDS)
    with pytest.raises(Refused, match="priority"):
        add.options(priority=1000).submit(1, 2).stored(SECONDS)
    assert deck.tasks == []


def test_what_a_function_raises_is_raised_with_the_traceback(deck: TaskDeck) -> None:
    with pytest.raises(OutOfPaperError, match="tray 2") as raised:
        fail.submit("tray 2").result(SECONDS)

    assert "raise OutOfPaperError(message)" in str(raised.value.__cause__)
    [record] = deck.tasks
    assert (record["state"], record["error"]["kind"]) == ("failed", "exception")
    assert record["error"]["type"].endswith("OutOfPaperError")


def test_a_result_that_is_no_json_is_a_bad_one(deck: TaskDeck) -> None:
    with pytest.raises((RemoteError, TypeError)):
        unencodable.submit().result(SECONDS)
    assert deck.tasks[0]["error"]["kind"] == "bad_result"


def test_it_is_run_again_as_often_as_its_retries_say(deck: TaskDeck, tmp_path: Path) -> None:
    assert flaky.submit(str(tmp_path / "a"), 2).result(SECONDS) == 3
    with pytest.raises(ConnectionError, match="run 3"):
        flaky.submit(str(tmp_path / "b"), 9).result(SECONDS)
    with pytest.raises(ConnectionError, match="run 1"):
        flaky.options(retries=0).submit(str(tmp_path / "c"), 9).result(SECONDS)

    assert [each["attempt"] for each in deck.tasks] == [3, 3, 1]


@pytest.mark.usefixtures("deck")
def test_a_future_among_the_arguments_stands_for_its_result() -> None:
    first = add.submit(1, 2)
    assert add.submit(first.argument, 10).result(SECONDS) == 13
    after = add.options(after=[first]).submit(5, 5)
    assert after.result(SECONDS) == 10


def test_what_comes_after_a_failure_is_cancelled_or_goes_on(deck: TaskDeck) -> None:
    failed = fail.submit("no")
    stopped = add.options(after=[failed]).submit(1, 1)
    gone_on = add.options(after=[failed], on_failure="go_on").submit(2, 2)

    assert gone_on.result(SECONDS) == 4
    deck.drain(SECONDS)
    assert [each["state"] for each in deck.tasks] == ["failed", "cancelled", "succeeded"]
    assert stopped.cancelled()


def test_drain_runs_what_waits_and_what_that_submits(deck: TaskDeck) -> None:
    waiting = add_later.options(delay=0.2).submit(1, 2)
    assert deck.client.task(waiting.stored())["state"] in {"scheduled", "queued"}

    records = deck.drain(SECONDS)
    assert [each["state"] for each in records] == ["succeeded"] * 2
    assert records[1]["tags"] == ["from within"]
    assert records[0]["result"] == records[1]["id"] == waiting.result(SECONDS)


def test_what_waits_can_be_cancelled(deck: TaskDeck) -> None:
    future = add.options(run_at=datetime.now(UTC) + timedelta(hours=1)).submit(1, 2)
    future.stored(SECONDS)

    assert future.cancel()
    assert deck.tasks[0]["state"] == "cancelled"
    assert deck.client.cancel(future.stored())["outcome"] == "already_ended"


def test_the_same_key_gives_the_same_task(deck: TaskDeck) -> None:
    one = add.options(idempotency_key="k").submit(1, 2)
    assert one.result(SECONDS) == 3
    two = add.options(idempotency_key="k").submit(1, 2)
    assert two.stored(SECONDS) == one.stored(SECONDS)
    assert two.result(SECONDS) == 3
    with pytest.raises(Refused, match=r"(?i)key"):
        add.options(idempotency_key="k").submit(1, 3).stored(SECONDS)
    assert len(deck.tasks) == 1


def test_a_task_says_how_far_it_is_and_has_a_log(deck: TaskDeck) -> None:
    future = talkative.submit()

    assert future.result(SECONDS) == "tests.functions.plugin_functions.talkative"
    assert [line["message"] for line in deck.client.logs(future.stored())] == ["here I am"]
    assert deck.client.task(future.stored())["progress"] == {"fraction": 0.5, "message": "half"}


def test_what_failed_can_be_run_once_more(deck: TaskDeck, tmp_path: Path) -> None:
    future = flaky.options(retries=0).submit(str(tmp_path / "a"), 1)
    with pytest.raises(ConnectionError):
        future.result(SECONDS)
    deck.client.retry(future.stored())
    deck.drain(SECONDS)

    assert deck.client.task(future.stored())["result"] == 2


def test_tasks_are_found_by_state_and_tag(deck: TaskDeck) -> None:
    add.options(tags=["x"]).submit(1, 2).result(SECONDS)
    with pytest.raises(OutOfPaperError):
        fail.submit("no").result(SECONDS)

    assert [each["args"] for each in deck.client.tasks(tag="x")] == [[1, 2]]
    assert [each["args"] for each in deck.client.tasks(state="failed")] == [["no"]]
    with pytest.raises(Refused):
        deck.client.task("019ad5a2-3c10-7b4e-9f8e-2d64a7c0ffee")


@pytest.mark.usefixtures("deck")
async def test_futures_are_awaited_in_a_loop_that_runs() -> None:
    assert await later.submit(7) == 7
    assert await asyncio.wait_for(add.submit(1, 2), SECONDS) == 3


def test_a_group_is_waited_for_together(deck: TaskDeck) -> None:
    with deck.client.group() as group:
        futures = [group.submit(add, number, 1) for number in range(3)]
    assert deck.client.gather(*futures) == [1, 2, 3]


def test_no_time_passes_in_the_double(deck_inline: TaskDeck) -> None:
    began = time.monotonic()
    future = add.options(delay=3600).submit(1, 2)
    with pytest.raises(RuntimeError, match=r"drain\(\)"):
        future.result()

    deck_inline.drain()
    assert future.result() == 3
    assert time.monotonic() - began < 600


def test_the_double_says_what_it_does_not_have(deck_inline: TaskDeck) -> None:
    with pytest.raises(Refused, match="deck_server has"):
        deck_inline.client.request("GET", "/pools")


def test_tasks_that_submit_each_other_for_ever_end_a_drain(deck_inline: TaskDeck) -> None:
    def again(_: object) -> None:
        add.options(delay=1).submit(1, 2).add_done_callback(again)

    again(None)
    with pytest.raises(RuntimeError, match="do they submit more"):
        deck_inline.drain()


@pytest.mark.pooldeck_functions
def test_without_a_word_on_modules_the_double_takes_what_is_imported(deck_inline: TaskDeck) -> None:
    assert add.submit(2, 3).result() == 5
    assert deck_inline.tasks[0]["pool"] == "cpu"


def test_after_the_test_everything_goes_where_it_went_before(request: Any) -> None:
    before = default_client()
    request.getfixturevalue("deck_inline")
    assert default_client() is not before


_USERS_TEST = """
import sys
from acme import add

def test_add(deck_inline):
    assert add.submit(2, 3).result() == 5

def test_refused(deck_inline):
    from pooldeck.client.errors import UnknownFunction
    import pytest, other
    with pytest.raises(UnknownFunction):
        other.stray.delay()
"""
_MODULE = """
from pooldeck import task
@task
def {0}(a: int = 0, b: int = 0) -> int: return a + b
"""


def pytest_of_a_user(folder: Path, test: str, *options: str) -> str:
    """Run a user's tests in a pytest of their own, and return what it says."""
    (folder / "acme.py").write_text(_MODULE.format("add"))
    (folder / "other.py").write_text(_MODULE.format("stray"))
    (folder / "test_acme.py").write_text(textwrap.dedent(test))
    (folder / "pytest.ini").write_text(
        "[pytest]\npooldeck_functions = acme\npythonpath = .\naddopts = --strict-markers\n"
    )
    completed = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


def test_the_setting_names_the_modules(tmp_path: Path) -> None:
    assert "2 passed" in pytest_of_a_user(tmp_path, _USERS_TEST)


def test_a_run_that_does_not_use_it_imports_nothing_of_it(tmp_path: Path) -> None:
    test = """
    import sys

    def test_nothing(pytestconfig):
        assert pytestconfig.pluginmanager.has_plugin("pooldeck")
        heavy = {"httpx", "fastapi", "pooldeck_server", "pooldeck.client"}
        assert heavy & set(sys.modules) == set()
    """
    assert "1 passed" in pytest_of_a_user(tmp_path, test, "-p", "no:anyio", "-p", "no:xdist")
