"""Tasks on the command line: submitted, followed, listed, shown, cancelled and run again."""

import io
import sys
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.commands import Commands
from tests.support.waiting import eventually

ECHO = "web_functions.echo"


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (("3",), 3),
        (("value=true",), True),
        (('{"a": [1, null]}',), {"a": [1, None]}),
        (("hello",), "hello"),
        (("value=a=b",), "a=b"),
        (("NaN",), "NaN"),
        (("--string", "3"), "3"),
        (("-s", "value=[]"), "[]"),
        (("--args", "[[4]]"), [4]),
        (("--kwargs", '{"value": "x"}'), "x"),
        (("--", "-5"), -5),
        (("12345678901234567890123",), 12345678901234567890123),
    ],
)
def test_what_is_json_goes_as_json_and_everything_else_as_text(
    pooldeck: Commands, words: tuple[str, ...], value: Any
) -> None:
    said = pooldeck("submit", ECHO, "--wait", *words)

    assert (said.code, said.json) == (0, value)


@pytest.mark.parametrize(("text", "value"), [("[1, 2]", [1, 2]), ("some words", "some words")])
def test_an_argument_may_come_from_standard_input(
    pooldeck: Commands, monkeypatch: pytest.MonkeyPatch, text: str, value: Any
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))

    assert pooldeck("submit", ECHO, "value=-", "--wait").json == value


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("a=1", "a=2"), "a is given twice"),
        (("--args", "{}"), "not a JSON array"),
        (("--kwargs", "x"), "not a JSON object"),
        (("-", "value=-"), "standard input can be read once"),
        (("--at", "noon"), "noon is no time"),
        (("--at", "noon"), "or 2h, for in two hours"),
        (("--delay", "noon"), "noon is no length of time"),
        (("--delay", "nan"), "nan is no length of time"),
        (("--timeout", "long"), "'--timeout': a number is wanted"),
        (("--retries", "many"), "'--retries': a whole number is wanted"),
        (("--need", "gpu"), "'gpu' is no NAME=AMOUNT, as gpu=1"),
        (("--within", "-1"), "it should be greater than"),
        (("--no-such-option",), "no such option"),
        (("-5",), "put -- before numbers below zero"),
    ],
)
def test_wrong_arguments_end_with_code_2_and_one_line(
    pooldeck: Commands, words: tuple[str, ...], problem: str
) -> None:
    said = pooldeck("submit", ECHO, *words)

    assert (said.code, said.out) == (2, "")
    [line] = said.err.splitlines()
    assert line.startswith("pooldeck: ")
    assert problem in line


def test_of_what_is_one_of_a_few_the_few_are_said(pooldeck: Commands) -> None:
    states = "'runing' is none of scheduled, queued, running, succeeded, failed, cancelled, lost"

    assert f": state: {states}" in pooldeck("tasks", "--state", "runing").err
    assert states in pooldeck("cancel", "--state", "runing", "--yes").err
    assert "'--sort': 'oldest' is not one of" in pooldeck("tasks", "--sort", "oldest").err


def test_what_the_server_refuses_ends_with_code_4_and_its_reason(pooldeck: Commands) -> None:
    unknown = pooldeck("submit", "web_functions.nothing")
    wrong = pooldeck("submit", "web_functions.add", "one")

    assert (unknown.code, wrong.code) == (4, 4)
    assert "no function called" in unknown.err
    assert "not an integer" in wrong.err


def test_a_submission_prints_the_id_and_with_json_the_task(pooldeck: Commands) -> None:
    options = ("--tag", "blue", "--tag", "round", "--priority", "3", "--key", "once")

    task_id = pooldeck("submit", ECHO, "1", *options).out.strip()
    again = pooldeck("submit", ECHO, "1", *options, "--json").json

    assert (again["id"], again["tags"], again["priority"]) == (task_id, ["blue", "round"], 3)


def test_a_task_that_fails_ends_the_wait_with_code_1_and_its_error(pooldeck: Commands) -> None:
    said = pooldeck("submit", "web_functions.fail", "oh", "--wait")

    assert (said.code, said.out) == (1, "")
    assert "failed: ValueError: oh" in said.err
    record = pooldeck("submit", "web_functions.fail", "oh", "--wait", "--json")
    assert (record.code, record.json["state"]) == (1, "failed")


def test_following_prints_the_log_of_all_attempts_and_then_the_result(pooldeck: Commands) -> None:
    said = pooldeck("submit", "web_functions.flaky", "7", "--follow")

    assert (said.code, said.out) == (0, "7\n")
    assert said.err.splitlines() == ["attempt 1", "attempt 2"]


def test_a_task_that_takes_longer_than_one_waits_goes_on_and_can_be_killed(
    pooldeck: Commands,
) -> None:
    said = pooldeck("submit", "web_functions.block", "--within", "0.1")
    assert said.code == 1
    assert "and goes on" in said.err
    [task] = pooldeck("tasks", "--function", "web_functions.block", "--json").json_lines()
    eventually(lambda: pooldeck("task", task["id"], "--json").json["state"] == "running", "it runs")

    said = pooldeck("cancel", task["id"], "--kill", "--reason", "enough")

    assert (said.code, said.out) == (0, "1 task: killed\n")
    assert pooldeck("task", task["id"], "--json").json["state"] == "cancelled"


def test_a_task_comes_after_another_and_at_a_time(pooldeck: Commands) -> None:
    before = pooldeck("submit", ECHO, "1", "--at", "2h").out.strip()
    task = pooldeck("submit", ECHO, "2", "--after", before, "--json").json
    assert task["state"] == "scheduled"
    assert pooldeck("cancel", before).code == 0


@pytest.mark.parametrize("delay", ["7200", "120m", "2h"])
def test_a_delay_is_told_in_seconds_or_as_a_length_of_time(pooldeck: Commands, delay: str) -> None:
    task = pooldeck("submit", ECHO, "1", "--delay", delay, "--json").json

    created, due = (datetime.fromisoformat(task[name]) for name in ("created_at", "run_at"))
    assert due - created == timedelta(hours=2)
    assert pooldeck("cancel", task["id"]).code == 0


def test_an_id_may_be_cut_as_long_as_no_other_begins_so(pooldeck: Commands) -> None:
    first = pooldeck("submit", ECHO, "1").out.strip()
    pooldeck("submit", ECHO, "2")

    assert pooldeck("task", first[:-4].upper(), "--json").json["id"] == first
    several = pooldeck("task", first[:2])
    assert several.code == 1
    assert "tasks have ids that begin with" in several.err
    assert pooldeck("task", "zzz").code == 1
    assert pooldeck("task", "").code == 1
    assert pooldeck("task", first[:-4] + "ffff").code == 1


def test_a_list_has_what_fits_in_pages_and_says_when_nothing_does(pooldeck: Commands) -> None:
    ids = {pooldeck("submit", ECHO, str(n), "--tag", "listed").out.strip() for n in range(3)}

    listed = ("--tag", "listed")
    eventually(lambda: len(pooldeck("tasks", *listed, "--state", "succeeded").out.split("\n")) == 5)
    assert {each["id"] for each in pooldeck("tasks", *listed, "--json").json_lines()} == ids
    assert len(list(pooldeck("tasks", *listed, "--json", "-n", "2").json_lines())) == 2
    assert len(list(pooldeck("tasks", *listed, "--json", "-n", "2", "--all").json_lines())) == 3
    head, first, *_ = pooldeck("tasks", *listed, "--since", "1h").out.splitlines()
    assert head.split()[:4] == ["id", "state", "function", "pool"]
    assert first.split()[1:4] == ["succeeded", ECHO, "cpu"]
    assert pooldeck("tasks", "--tag", "nothing").code == 1
    assert pooldeck("tasks", "--state", "nowhere").code == 4


def test_a_task_is_shown_with_its_attempts_its_traceback_and_the_end_of_its_log(
    pooldeck: Commands,
) -> None:
    pooldeck("submit", "web_functions.fail", "this went wrong", "--wait")
    pooldeck("submit", "web_functions.flaky", "1", "--wait")
    flaky, failed = pooldeck("tasks", "-n", "2", "--json").json_lines()

    assert "raise ValueError(message)" in pooldeck("task", failed["id"]).out
    assert "Traceback" not in pooldeck("task", failed["id"], "--short").out
    said = pooldeck("task", flaky["id"]).out
    assert "OSError" in said
    assert "attempt 2" in said


def test_a_log_is_printed_by_attempt_with_times_and_as_json(pooldeck: Commands) -> None:
    task = pooldeck("submit", "web_functions.flaky", "1", "--wait", "--json").json["id"]

    assert pooldeck("logs", task).out == "attempt 2\n"
    assert pooldeck("logs", task, "--attempt", "1", "--times").out.endswith(" attempt 1\n")
    assert [each["message"] for each in pooldeck("logs", task, "--json").json_lines()] == [
        "attempt 2"
    ]
    assert pooldeck("logs", task, "-f").out == "attempt 1\nattempt 2\n"
    assert pooldeck("logs", task, "--attempt", "9").code == 1


def test_a_log_longer_than_a_page_is_printed_whole(pooldeck: Commands) -> None:
    task = pooldeck("submit", "web_functions.chatter", "1200", "--wait", "--json").json["id"]

    assert pooldeck("logs", task).out.splitlines() == [f"line {n}" for n in range(1200)]


def test_nothing_reaches_a_terminal_that_it_would_obey(pooldeck: Commands) -> None:
    words = "\x1b]0;title\x07red\x1b[31m\x9b2J"
    task = pooldeck("submit", "web_functions.say", words, "--wait", "--json").json["id"]

    for command in (("task", task), ("logs", task), ("logs", "-f", task), ("tasks",)):
        said = pooldeck(*command)
        assert not {"\x1b", "\x07", "\x9b"} & set(said.out + said.err), command
    assert "red" in pooldeck("logs", task).out


def test_many_are_changed_by_a_filter_after_somebody_was_asked(pooldeck: Commands) -> None:
    for _ in range(2):
        pooldeck("submit", "web_functions.fail", "no", "--tag", "again", "--wait")

    asked = pooldeck("retry", "--tag", "again")
    assert (asked.code, asked.out) == (2, "")
    assert "2 tasks would be retried" in asked.err
    done = pooldeck("retry", "--tag", "again", "--yes")
    assert (done.code, done.out) == (0, "2 tasks: retried\n")
    assert pooldeck("cancel", "--tag", "nothing", "--yes").code == 1
    assert pooldeck("cancel").code == 2
    assert pooldeck("cancel", "abc", "--state", "queued").code == 2


def test_a_task_that_has_ended_cannot_be_cancelled_and_that_is_code_1(pooldeck: Commands) -> None:
    task = pooldeck("submit", ECHO, "1", "--wait", "--json").json["id"]

    said = pooldeck("cancel", task)

    assert (said.code, said.out) == (1, "1 task: already ended\n")


def test_what_has_not_started_is_changed_and_run_now(pooldeck: Commands) -> None:
    task_id = pooldeck("submit", ECHO, "1", "--delay", "1h", "--json").json["id"]

    moved = pooldeck("change", task_id, "--priority", "4", "--args", "[2]", "--at", "2h", "--json")
    assert (moved.code, moved.json["priority"], moved.json["state"]) == (0, 4, "scheduled")
    assert pooldeck("change", task_id, "--run-now").code == 0
    assert pooldeck("task", task_id, "--json").json["args"] == [2]


def test_a_change_says_what_is_wrong_with_it(pooldeck: Commands) -> None:
    task_id = pooldeck("submit", ECHO, "1", "--delay", "1h", "--json").json["id"]

    assert "say what to change" in pooldeck("change", task_id).err
    assert "not both" in pooldeck("change", task_id, "--run-now", "--at", "1h").err
    refused = pooldeck("change", task_id, "--pool", "nowhere")
    assert (refused.code, "nowhere" in refused.err) == (4, True)
