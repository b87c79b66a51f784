"""`pooldeck run`: a function over the lines of a file."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pooldeck_server.cli import main
from tests.support.commands import Commands, Said
from tests.support.waiting import eventually

ECHO = "web_functions.echo"


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    return tmp_path / "lines"


def results(said: Said) -> list[object]:
    return [each["result"] for each in said.json_lines()]


def stored(pooldeck: Commands, function: str) -> int:
    listed = pooldeck("tasks", "--function", f"web_functions.{function}", "--all", "--json")
    return len(listed.out.splitlines())


def test_each_line_is_a_call_and_each_result_a_line_in_the_order_of_the_input(
    pooldeck: Commands, lines: Path
) -> None:
    lines.write_text("".join(f"[{n}]\n" for n in range(700)))

    said = pooldeck("run", ECHO, str(lines), "--window", "100")

    assert said.code == 0
    assert results(said) == list(range(700))
    assert [each["line"] for each in said.json_lines()] == list(range(1, 701))
    assert "700 lines, 0 failed" in said.err


def test_a_line_is_an_array_an_object_or_what_submit_makes_of_it(
    pooldeck: Commands, lines: Path
) -> None:
    lines.write_text('["x"]\n{"value": [2]}\n\nsome words \n12\n[broken\n"12"\n-\nNaN\n012\n')

    said = pooldeck("run", ECHO, str(lines))

    assert results(said) == ["x", [2], "some words ", 12, "[broken", "12", "-", "NaN", "012"]


def test_with_json_lines_each_is_the_value_that_it_is_or_an_error(
    pooldeck: Commands, lines: Path
) -> None:
    lines.write_text('12\n"quoted"\nwords\n{"value": null}\nNaN\n')

    said = pooldeck("run", ECHO, str(lines), "--json-lines")

    assert said.code == 1
    number, quoted, words, named, not_a_number = said.json_lines()
    assert (number["result"], quoted["result"], named["result"]) == (12, "quoted", None)
    assert words["error"]["kind"] == not_a_number["error"]["kind"] == "refused"
    assert words["line"] == 3


def test_what_fails_and_what_is_refused_have_an_error_and_the_others_their_results(
    pooldeck: Commands, lines: Path
) -> None:
    lines.write_bytes(b'[1]\n["one"]\n[2, 3]\n\xff\n{"c": 1}\n["\\ud800"]\n[5]\n')

    said = pooldeck("run", "web_functions.add", str(lines))

    assert said.code == 1
    found = {each["line"]: each.get("result") for each in said.json_lines()}
    assert found == {1: 3, 2: None, 3: 5, 4: None, 5: None, 6: None, 7: 7}
    assert "7 lines, 4 failed" in said.err

    failed = pooldeck("run", "web_functions.fail", str(lines), "--name", "f", "--unordered")
    kinds = [each["error"]["kind"] for each in failed.json_lines()]
    assert (failed.code, set(kinds)) == (1, {"exception", "refused"})
    assert "pooldeck retry --tag run:f --state failed" in failed.err


def test_the_same_command_again_gives_the_same_results_and_runs_nothing_again(
    pooldeck: Commands, lines: Path
) -> None:
    lines.write_text("a\nb\na\n")
    before = pooldeck("run", "web_functions.say", str(lines))
    ran = stored(pooldeck, "say")

    again = pooldeck("run", "web_functions.say", str(lines))
    assert (again.out, stored(pooldeck, "say")) == (before.out, ran)

    lines.write_text("a\nc\na\nd\n")
    assert results(pooldeck("run", "web_functions.say", str(lines))) == ["a", "c", "a", "d"]
    assert stored(pooldeck, "say") == ran + 2  # the second line is another, and there is a fourth
    pooldeck("run", "web_functions.say", str(lines), "--name", "another")
    assert stored(pooldeck, "say") == ran + 2 + 4


def test_other_options_make_another_run(pooldeck: Commands, lines: Path) -> None:
    lines.write_text("[1]\n")
    pooldeck("run", "web_functions.roam", str(lines))

    said = pooldeck("run", "web_functions.roam", str(lines), "--pool", "io", "--tag", "moved")

    assert said.code == 0
    [task] = pooldeck("tasks", "--tag", "moved", "--json").json_lines()
    assert task["pool"] == "io"


def test_a_file_takes_the_results_and_is_never_the_input(pooldeck: Commands, lines: Path) -> None:
    lines.write_text("[1]\n")
    target = lines.with_name("results")

    assert pooldeck("run", ECHO, str(lines), "--output", str(target)).out == ""
    assert json.loads(target.read_text())["result"] == 1
    assert pooldeck("run", ECHO, str(lines), "--output", str(lines)).code == 2
    assert lines.read_text() == "[1]\n"


def test_no_more_lines_are_under_way_than_the_window_has(pooldeck: Commands, lines: Path) -> None:
    lines.write_text("{}\n" * 8)
    http = pooldeck.server.http
    fitting: dict[str, str | int] = {"tag": "run:narrow", "limit": 100}

    def number() -> int:
        return len(http.get("/api/v1/tasks", params=fitting).json()["items"])

    def kill_one() -> None:
        running: dict[str, str | int] = {**fitting, "state": "running"}
        eventually(
            lambda: bool(http.get("/api/v1/tasks", params=running).json()["items"]), "one runs"
        )
        task, *_ = http.get("/api/v1/tasks", params=running).json()["items"]
        http.post(f"/api/v1/tasks/{task['id']}/cancel", json={"kill": True})

    arguments = ["run", "web_functions.block", str(lines), "--name", "narrow", "--window", "3"]
    with ThreadPoolExecutor(1) as threads:
        ran = threads.submit(main, [*arguments, "--url", pooldeck.url])
        for stored in (3, 4, 5, 6, 7, 8, 8, 8):
            eventually(lambda stored=stored: number() == stored, f"{stored} are stored")  # type: ignore[misc]
            kill_one()
            assert number() <= stored + 1
        assert ran.result(60) == 1


def test_an_empty_file_has_no_results(pooldeck: Commands, lines: Path) -> None:
    lines.touch()

    said = pooldeck("run", ECHO, str(lines))

    assert (said.code, said.out) == (0, "")


def test_what_cannot_be_run_is_said_before_anything_is_read(
    pooldeck: Commands, lines: Path
) -> None:
    assert pooldeck("run", ECHO, str(lines)).code == 2
    assert pooldeck("run", ECHO, str(lines.parent)).code == 2
    lines.write_text("[1]\n")
    assert pooldeck("run", "web_functions.nothing", str(lines)).code == 1
    assert pooldeck("run", "web_functions.stray", str(lines)).code == 1
    assert pooldeck("run", ECHO, str(lines), "--name", "").code == 2
