"""How a line on standard error looks."""

import json
import logging
import os
import sys
from typing import Any

from pooldeck_server.domain.log_subjects import about
from pooldeck_server.terminal.lines import REQUESTS, JsonLine, Repeated, TextLine


def record(message: str, *args: object, level: int = logging.WARNING, **more: Any) -> Any:
    return logging.makeLogRecord(
        {"name": "pooldeck_server.a", "msg": message, "args": args, "levelno": level}
        | {"levelname": logging.getLevelName(level)}
        | more
    )


def test_a_line_for_people_says_when_how_bad_who_and_what() -> None:
    line = TextLine(is_coloured=False).format(record("pool %s is broken", "cpu"))

    assert line.endswith(" WARNING pooldeck_server.a: pool cpu is broken")


def test_further_lines_of_a_message_are_indented_and_what_a_terminal_obeys_is_escaped() -> None:
    line = TextLine(is_coloured=False).format(record("one\ntwo \x1b[2J\r\x9b1A three"))

    assert line.endswith(": one\n    two \\x1b[2J\\r\\x9b1A three")


def test_only_the_word_for_how_bad_it_is_has_a_colour() -> None:
    form = TextLine(is_coloured=True).format

    assert "\x1b[33mWARNING\x1b[0m pooldeck_server.a: WARNING" in form(record("WARNING"))
    assert "\x1b[31mERROR\x1b[0m " in form(record("a", level=logging.ERROR))
    assert "\x1b" not in form(record("a", level=logging.INFO))


def test_a_line_for_programs_is_one_object_with_what_it_is_about() -> None:
    extra: Any = about(pool="cpu", task=None, function="a.f", deaths=3)

    line = JsonLine().format(record("two\nlines of %s \udc80", "ü", created=0.0, **extra))

    assert "\n" not in line
    assert line.isascii()
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.000000Z",
        "level": "WARNING",
        "logger": "pooldeck_server.a",
        "message": "two\nlines of ü \udc80",
        "pool": "cpu",
        "function": "a.f",
        "deaths": 3,
    }


def test_a_line_for_programs_has_the_traceback_of_a_defect() -> None:
    try:
        os.environ["ABSENT"]
    except KeyError:
        line = json.loads(JsonLine().format(record("it failed", exc_info=sys.exc_info())))

    assert line["message"] == "it failed"
    assert line["traceback"].endswith("KeyError: 'ABSENT'")


def test_a_request_has_its_parts_beside_the_sentence() -> None:
    parts: Any = about(method="GET", path="/api/v1/tasks", status=200, principal="ci")

    line = json.loads(JsonLine().format(record("a request", name=REQUESTS, **parts)))

    assert line["message"] == "a request"
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/v1/tasks", 200)
    assert line["principal"] == "ci"


def test_a_traceback_is_bounded() -> None:
    try:
        os.environ["x" * 10**6]
    except KeyError:
        line = json.loads(JsonLine().format(record("it failed", exc_info=sys.exc_info())))

    assert len(line["traceback"]) < 70_000


def test_a_line_that_stands_for_others_says_how_many() -> None:
    latest = record("worker cpu-9 died", repeated=Repeated(95, 60))

    assert (
        TextLine(is_coloured=False)
        .format(latest)
        .endswith("worker cpu-9 died [the latest of 95 such lines in 60 s]")
    )
    assert json.loads(JsonLine().format(latest))["repeated"] == 95
