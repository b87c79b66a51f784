"""`pooldeck top` in a real terminal, against a real server."""

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.commands import Commands
from tests.support.served import Served
from tests.support.serving import serving
from tests.support.terminals import Terminal, terminal
from tests.support.watching import pool_where, task_in, until

DOWN = "\x1b[B"
TALK = """
import os, time
from pooldeck import task

@task(pool="io")
def talk():
    for number in range(200):
        print("word", number)
    while not os.path.exists("go"):
        time.sleep(0.05)
    raise ValueError("the end")
"""
COLOUR = re.compile(rb"\x1b\[[\d;]*3[0-7]")


@pytest.fixture
def blocked(server: Served) -> Iterator[str]:
    """The id of a task that runs in the last pool, until the test has ended."""
    task = server.submit("block", wait=0).json()["id"]
    task_in(server, task, "running")
    yield task
    server.http.post(f"/api/v1/tasks/{task}/cancel", json={"kill": True})
    until(lambda: server.http.get(f"/api/v1/tasks/{task}").json()["state"] == "cancelled")


@pytest.fixture
def top(server: Served) -> Iterator[Terminal]:
    with terminal("top", "--url", str(server.http.base_url)) as shown:
        shown.wait_for("q quit")
        shown.wait_for("POOL")
        yield shown


def select(top: Terminal, words: str) -> None:
    """Move down to a row."""
    for _ in range(12):
        if any(line.startswith(">") and words in line for line in top.lines):
            return
        before = next(line for line in top.lines if line.startswith(">"))
        top.type(DOWN)
        top.wait_for(before, is_there=False)
    raise AssertionError(top.text)


def test_pools_running_tasks_and_failures_are_seen(
    server: Served, blocked: str, top: Terminal
) -> None:
    server.submit("fail", "no disk \x1b[2J left")

    top.wait_for(f"web_functions.block  {blocked[-6:]}  solo")
    top.wait_for("web_functions.fail ValueError: no disk")
    [line] = [line for line in top.lines if line.startswith(" solo ")]
    assert "1/1" in line
    assert "##########" in line


def test_q_ends_it_and_leaves_the_terminal_as_it_was(server: Served) -> None:
    with terminal("top", "--url", str(server.http.base_url)) as shown:
        before = shown.modes
        shown.wait_for("q quit")
        assert shown.modes != before
        shown.type("q")
        assert shown.end() == 0
        assert shown.modes == before

    assert b"\x1b[?1049l" in shown.raw  # the screen of before
    assert shown.raw.rindex(b"\x1b[?25h") > shown.raw.rindex(b"\x1b[?25l")  # and the cursor


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_leaves_the_terminal_as_it_was(
    server: Served, number: signal.Signals
) -> None:
    with terminal("top", "--url", str(server.http.base_url)) as shown:
        before = shown.modes
        shown.wait_for("q quit")
        shown.process.send_signal(number)
        assert shown.end() == 130
        assert shown.modes == before

    assert b"\x1b[?1049l" in shown.raw
    assert b"Traceback" not in shown.raw


def test_p_pauses_the_selected_pool_and_lets_it_go_on(server: Served, top: Terminal) -> None:
    select(top, "io ")
    top.type("p")
    top.wait_for("io is paused")
    pool_where(server, "io", lambda pool: pool["state"] == "paused")
    top.wait_for("io    paused")

    top.type("p")
    top.wait_for("io goes on")
    pool_where(server, "io", lambda pool: pool["state"] == "running")


def test_r_restarts_the_selected_pool_after_a_yes(server: Served, top: Terminal) -> None:
    def workers() -> set[str]:
        found = server.http.get("/api/v1/pools/io").json()
        return {worker["id"] for worker in found["workers"]}

    before = workers()
    select(top, "io ")
    top.type("r")
    top.wait_for("restart io, replacing its workers one by one? y/N")
    top.type("y")

    pool_where(server, "io", lambda _: not before & workers())


def test_k_kills_a_running_task_only_after_a_yes(
    server: Served, blocked: str, top: Terminal
) -> None:
    top.wait_for(blocked[-6:])
    select(top, blocked[-6:])
    top.type("k")
    top.wait_for("kill web_functions.block of solo? its worker ends with it. y/N")
    top.type("n")
    top.wait_for("q quit")
    assert server.http.get(f"/api/v1/tasks/{blocked}").json()["state"] == "running"

    top.type("k")
    top.wait_for("y/N")
    top.type("y")
    top.wait_for("web_functions.block was killed")
    task_in(server, blocked, "cancelled")


def test_enter_shows_the_log_of_a_running_task_and_q_leaves_it(blocked: str, top: Terminal) -> None:
    top.wait_for(blocked[-6:])
    select(top, blocked[-6:])
    top.type("\r")
    top.wait_for(f"web_functions.block {blocked} is running")
    top.wait_for("it has said nothing")
    top.type("q")
    top.wait_for("POOL")


def test_a_log_is_shown_as_it_comes_up_to_the_end_of_its_task(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(TALK)
    with serving(tmp_path, "--functions", "jobs") as server:
        server.wait_until_ready()
        body = {"function": "jobs.talk"}
        task = server.client.post("/api/v1/tasks", json=body).json()["id"]
        with terminal("top", "--url", str(server.client.base_url)) as shown:
            shown.wait_for(task[-6:])
            select(shown, task[-6:])
            shown.type("\r")
            shown.wait_for("word 199")
            assert "word 90" not in shown.text
            shown.type("\x1b[5~" * 10)
            shown.wait_for("word 90")
            shown.type("\x1b[F")
            shown.wait_for("word 199")
            (tmp_path / "go").touch()
            shown.wait_for("ValueError: the end")
            shown.type("q")
            shown.wait_for("LAST FAILURES")


def test_a_question_mark_lists_the_keys(top: Terminal) -> None:
    top.type("?")
    top.wait_for("kill the running task; you are asked first")
    top.type("x")
    top.wait_for("POOL")


def test_keys_that_mean_nothing_do_nothing(top: Terminal) -> None:
    top.type("\x1b[15~\x1b[Zzé\x00\x1b")
    top.type("?")

    top.wait_for("Keys")


def test_it_fits_the_terminal_whatever_size_that_gets(top: Terminal) -> None:
    for width, height in ((200, 60), (40, 12), (10, 3), (80, 24)):
        top.resize(width, height)
        top.wait_for("pooldeck")
    top.wait_for("q quit")
    top.wait_for("RUN P95")
    assert top.lines[0].startswith("pooldeck")


def test_there_is_no_colour_where_none_is_wanted(server: Served) -> None:
    url = str(server.http.base_url)
    for environment, is_coloured in ({}, True), ({"NO_COLOR": "1"}, False):
        with terminal("top", "--url", url, environment=environment) as shown:
            shown.wait_for("RUN P95")
            shown.type("q")
            assert shown.end() == 0
        assert bool(COLOUR.search(shown.raw)) == is_coloured


def test_a_server_that_is_lost_is_said_and_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    with ExitStack() as stack:
        with serving(tmp_path, "--port", port) as first:
            shown = stack.enter_context(terminal("top", "--url", f"http://127.0.0.1:{port}"))
            shown.wait_for("RUN P95")
            first.process.send_signal(signal.SIGSTOP)
            shown.wait_for("waiting: the server does not answer")
            first.process.send_signal(signal.SIGCONT)
            shown.wait_for("! as it was", is_there=False)
            first.process.kill()
        shown.wait_for("! as it was")
        assert "no server answers at" in shown.text or "ended the stream" in shown.text
        with serving(tmp_path, "--port", port):
            shown.wait_for("! as it was", is_there=False)
            shown.wait_for("RUN P95")
            shown.type("q")
            assert shown.end() == 0


def test_where_there_is_no_terminal_it_is_one_plain_picture(
    server: Served, blocked: str, pooldeck: Commands
) -> None:
    server.submit("fail", "plain")

    said = pooldeck("top")

    assert (said.code, said.err) == (0, "")
    assert "\x1b" not in said.out
    assert re.search(rf"web_functions\.block\s+{blocked}\s+solo", said.out)
    assert "ValueError: plain" in said.out
    assert said.out.startswith("pool ")


def test_as_json_it_is_what_the_stream_says(pooldeck: Commands) -> None:
    frame = pooldeck("top", "--json").json

    assert {pool["name"] for pool in frame["pools"]} == {"cpu", "io", "solo"}
    assert "throughput" in frame


def test_without_a_server_it_ends_at_once() -> None:
    with terminal("top", "--url", "http://127.0.0.1:1") as shown:
        assert shown.end() == 3

    assert "no server answers at http://127.0.0.1:1" in " ".join(shown.text.split())
