"""Whole programs: how they end, fork and import, with a client in them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pooldeck import Client
from tests import ROOT
from tests.functions import client_functions as functions

BEGINNING = """
import os, sys, threading
from pooldeck import Client
from tests.functions.client_functions import add, hold, note
client = Client()
"""


def ran(url: str, program: str, *arguments: str, beginning: str = BEGINNING) -> str:
    """Run a program that finds the server by its environment; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", beginning + program, *arguments],
        cwd=ROOT,
        env=os.environ | {"POOLDECK_URL": url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_what_a_program_submits_at_its_end_is_stored(url: str, client: Client) -> None:
    ran(
        url,
        """
for number in range(50):
    client.options(tags=["at-exit"]).submit(add, number)
""",
    )
    assert len(list(client.tasks(tag="at-exit"))) == 50


def test_a_program_ends_while_futures_wait(url: str, client: Client, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    said = ran(
        url,
        """
futures = [client.submit(hold, sys.argv[1]) for _ in range(3)]
print(futures[0].stored())
threading.Thread(target=lambda: futures[0].exception(), daemon=True).start()
""",
        str(gate),
    )
    gate.touch()
    assert client.future(said.strip()).result(120) == "open"


def test_a_thread_that_outlives_the_main_one_gets_its_result(url: str) -> None:
    program = """
future = client.submit(add, 1)
threading.Thread(target=lambda: print(future.result(60))).start()
"""
    assert ran(url, program) == "3\n"


def test_a_forked_process_uses_the_client_as_its_own(url: str, tmp_path: Path) -> None:
    program = """
from pooldeck.client.errors import Detached
before = client.submit(hold, sys.argv[1])
before.stored()
if (pid := os.fork()) == 0:
    assert isinstance(before.exception(10), Detached)
    assert client.submit(add, 5).result(60) == 7
    open(sys.argv[1], "w").close()
    os._exit(0)
assert os.waitpid(pid, 0)[1] == 0
print(before.result(60), client.submit(add, 1).result(60))
"""
    assert ran(url, program, str(tmp_path / "gate")) == "open 3\n"


def test_functions_have_calls_of_their_own(url: str) -> None:
    program = """
print(add(2, 3), add.submit(2, 3).result(60), add.delay(2, b=3).task_id is not None)
print(list(add.map([1, 2])), add.options(tags=["t"]).submit(1).task()["tags"])
try:
    add.delay("x")
except TypeError as error:
    print(error)
"""
    assert ran(url, program).splitlines() == [
        "5 5 True",
        "[3, 4] ['t']",
        'a: "x" is not an integer',
    ]


def test_ctrl_c_ends_a_wait(url: str, tmp_path: Path) -> None:
    program = """
future = client.submit(hold, sys.argv[1])
print(future.stored(), flush=True)
future.result()
"""
    with subprocess.Popen(
        [sys.executable, "-c", BEGINNING + program, str(tmp_path / "gate")],
        cwd=ROOT,
        env=os.environ | {"POOLDECK_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    (tmp_path / "gate").touch()
    assert "KeyboardInterrupt" in said.splitlines()[-1]


def test_importing_pooldeck_loads_no_client_and_no_executor() -> None:
    program = """
import sys, pooldeck
loaded = {"httpx", "asyncio", "concurrent.futures", "multiprocessing", "pooldeck.client"}
print(sorted(loaded & sys.modules.keys()))
import pooldeck.client.places
print(sorted({"httpx", "asyncio"} & sys.modules.keys()))
"""
    assert ran("", program, beginning="") == "[]\n[]\n"


def test_a_task_submits_tasks_where_it_runs(client: Client) -> None:
    assert client.submit(functions.hand_on, 5).result(120) == [2, 3, 4, 5, 6]


@pytest.mark.parametrize("number", [1, 100])
def test_clients_can_be_made_and_closed_over_and_over(url: str, number: int) -> None:
    for _ in range(number):
        with Client(url) as client:
            if number == 1:
                assert client.submit(functions.add, 1).result(120) == 3
