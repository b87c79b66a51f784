"""The command line as a whole: its help, how quick it is, completion, and what a terminal gets."""

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

import pytest

from pooldeck_server.cli import main
from pooldeck_server.command_line.table import COMMANDS, install_words, places
from tests.support.programs import started
from tests.support.served import Served, served
from tests.support.serving import COMMAND

SERVERS_OWN = (
    *("fastapi", "starlette", "uvicorn", "uvloop", "jinja2", "babel", "alembic", "sqlalchemy"),
    *("pydantic_settings", "jsonschema_rs", "prometheus_client", "python_multipart"),
)
LATE = ("typer", "rich", "httpx", "pydantic", "msgspec")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture
def environment(server: Served) -> dict[str, str]:
    return {**os.environ, "POOLDECK_URL": str(server.http.base_url)}


def cpu_seconds(command: list[str], rounds: int) -> float:
    """Return the CPU time of the quickest of some runs of a command."""
    seconds = []
    for _ in range(rounds):
        before = getrusage(RUSAGE_CHILDREN)
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        after = getrusage(RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime
        seconds.append(used - before.ru_utime - before.ru_stime)
    return min(seconds)


def test_help_costs_a_few_times_what_an_interpreter_costs_that_does_nothing() -> None:
    """The command starts two: it replaces itself by one that user code cannot reach."""
    nothing = cpu_seconds([sys.executable, "-c", "pass"], 15)

    assert cpu_seconds([*COMMAND, "--help"], 15) <= 6 * nothing


def test_help_imports_none_of_the_libraries_that_take_long() -> None:
    program = (
        "import sys; from pooldeck_server.cli import main; main(['--help']); "
        f"sys.exit(repr(set(sys.modules) & set({LATE})) if set(sys.modules) & set({LATE}) else 0)"
    )

    completed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert (completed.returncode, completed.stderr) == (0, "")


def test_commands_that_talk_to_a_server_need_none_of_the_servers_libraries() -> None:
    program = f"""
import importlib, pkgutil, sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {SERVERS_OWN}:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Missing())
import pooldeck_server.remote
from pooldeck_server.cli import main
for each in pkgutil.walk_packages(pooldeck_server.remote.__path__, "pooldeck_server.remote."):
    importlib.import_module(each.name)
sys.exit(main(["tasks", "--url", "http://127.0.0.1:1"]))
"""
    completed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )

    assert completed.returncode == 3, completed.stderr


def test_the_help_names_each_command_with_what_it_does(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0

    said = capfd.readouterr().out
    for name, (_, words) in places().items():
        assert f"  {name:<10} {words}\n" in said
    assert len(COMMANDS) < len(places())


@pytest.mark.parametrize("name", sorted(places()))
def test_each_command_has_a_help_that_says_its_options(
    name: str, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--help"]) == 0

    said = capfd.readouterr().out
    assert said.startswith(f"Usage: pooldeck {name} ")
    if places()[name][0].startswith("remote.") and name != "host":  # it has a file for these
        assert all(option in said for option in ("--url", "--token", "--profile", "--json"))


def test_a_command_that_is_none_ends_with_code_2_and_what_may_be_meant(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert main(["taks"]) == 2

    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.startswith("pooldeck: no such command 'taks'. Did you mean ")
    assert "'tasks'" in said.err


def test_what_is_missing_is_said_by_the_extra_that_brings_it() -> None:
    assert install_words("pydantic", ["serve"]).endswith("pip install 'pooldeck[server]'")
    assert install_words("typer", ["tasks"]).endswith("pip install 'pooldeck[cli]'")
    assert "'pooldeck[server]'" in install_words("typer", [])


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("res", {"restore", "resize", "resume", "resume-function", "restart"}),
        ("submit web_functions.ad", {"web_functions.add"}),
        ("submit web_functions.add --pool c", {"cpu"}),
        ("resize ", {"cpu", "io", "solo"}),
        ("tasks --state s", {"scheduled", "succeeded"}),
        ("tasks --function web_functions.ec", {"web_functions.echo"}),
        ("token ", {"create", "list", "revoke"}),
        ("doctor --js", {"--json"}),
    ],
)
def test_a_shell_is_told_what_could_be_typed_next(
    environment: dict[str, str], typed: str, offered: set[str]
) -> None:
    assert completions(environment, f"pooldeck {typed}") == offered


def test_ids_of_tasks_are_offered_and_a_server_that_is_away_offers_nothing(
    server: Served, environment: dict[str, str]
) -> None:
    task = server.submit("echo", 1).json()["id"]

    assert completions(environment, f"pooldeck task {task[:-3]}") == {task}
    away = environment | {"POOLDECK_URL": "http://127.0.0.1:1"}
    assert completions(away, "pooldeck task ") == set()


def completions(environment: dict[str, str], words: str) -> set[str]:
    asked = {
        "_POOLDECK_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(words.count(" ")),
    }
    completed = subprocess.run(
        COMMAND, env=environment | asked, capture_output=True, text=True, timeout=60, check=True
    )
    assert completed.stderr == ""
    return set(completed.stdout.split())


def test_completion_is_installed_for_a_shell(tmp_path: Path) -> None:
    completed = subprocess.run(
        [*COMMAND, "--show-completion", "bash"],
        env={
            **os.environ,
            "HOME": str(tmp_path),
            "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert "_POOLDECK_COMPLETE=complete_bash" in completed.stdout


class Terminal:
    """A command in a terminal of its own, 100 columns wide."""

    def __init__(self, process: "subprocess.Popen[bytes]", reader: int) -> None:
        self.process, self._reader = process, reader
        self.said = ""

    def wait_for(self, words: str) -> None:
        while words not in self.said:
            assert self._read(), self.said

    def type(self, text: str) -> None:
        os.write(self._reader, text.encode())

    def interrupt(self) -> None:
        """Press Ctrl-C, as often as it takes: a question may be about to wait for its answer."""
        until = time.monotonic() + 60
        while self.process.poll() is None and time.monotonic() < until:
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(1)

    def end(self) -> int:
        """Return the exit code of the command, when it has ended."""
        while self._read():
            pass
        return self.process.wait(60)

    def _read(self) -> bool:
        """Take what was said; False if nothing more will be."""
        readable, _, _ = select.select([self._reader], [], [], 60)
        assert readable, self.said
        try:
            part = os.read(self._reader, 65536)
        except OSError:  # how a terminal ends here whose other end is closed
            return False
        self.said += part.decode()
        return bool(part)


@contextmanager
def terminal(environment: dict[str, str], *arguments: str) -> Iterator[Terminal]:
    reader, writer = pty.openpty()
    with (
        closing(os.fdopen(reader, "rb", buffering=0)),
        started(
            [*COMMAND, *arguments],
            env=environment | {"TERM": "xterm-256color", "COLUMNS": "100"},
            stdin=writer,
            stdout=writer,
            stderr=writer,
        ) as process,
    ):
        os.close(writer)
        yield Terminal(process, reader)


def test_a_terminal_gets_colours_unless_it_asks_for_none(environment: dict[str, str]) -> None:
    with terminal(environment, "pools") as coloured:
        assert coloured.end() == 0
    with terminal(environment | {"NO_COLOR": "1"}, "pools") as plain:
        assert plain.end() == 0

    assert "\x1b[1m" in coloured.said
    assert "\x1b[3" not in plain.said
    assert "solo" in plain.said


@pytest.mark.parametrize(
    ("arguments", "code"),
    [("pools >&-", 0), ("pools 2>&-", 0), ("submit web_functions.echo - --wait <&-", 0)],
)
def test_a_standard_stream_that_is_closed_is_no_reason_to_fail(
    environment: dict[str, str], arguments: str, code: int
) -> None:
    completed = subprocess.run(
        ["sh", "-c", f"{COMMAND[0]} {arguments}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (completed.returncode, completed.stderr) == (code, "")


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("", 130)])
def test_a_change_of_many_is_made_after_a_yes_and_only_then(
    server: Served, environment: dict[str, str], answer: str, code: int
) -> None:
    tag = f"asked-{code}"
    task = server.submit("fail", "no", tags=[tag]).json()["id"]
    with terminal(environment, "retry", "--tag", tag) as asking:
        asking.wait_for("retry 1 task? [y/N]")
        if answer:
            asking.type(answer)
        else:
            asking.interrupt()
        assert asking.end() == code

    attempts = server.http.get(f"/api/v1/tasks/{task}", params={"wait": 20}).json()["attempt"]
    assert attempts == (2 if code == 0 else 1)


def test_an_interruption_leaves_a_task_that_is_followed_alone(
    server: Served, environment: dict[str, str]
) -> None:
    with terminal(environment, "submit", "web_functions.block", "--follow") as following:
        following.wait_for("web_functions.block is running")
        following.interrupt()
        assert following.end() == 130

    assert "the task goes on: see it by `pooldeck logs -f" in following.said
    listed = server.http.get("/api/v1/tasks", params={"function": "web_functions.block"}).json()
    [task] = listed["items"]
    assert task["state"] == "running"
    server.http.post(f"/api/v1/tasks/{task['id']}/cancel", json={"kill": True})
