"""Commands of a server that people started: those of the examples, and those it leaves behind."""

import os
import shutil
import signal
from pathlib import Path

import pytest

from pooldeck.marks import BOOT
from pooldeck_server.settings import Settings
from tests import ROOT
from tests.support.serving import serving
from tests.support.waiting import eventually

CONFIGURATION = """
[log]
path = "tasks.log"

[commands.family]
run = ["sh", "-c", "setsid sleep 601 & echo $!; echo $$; exec sleep 601"]
"""


def test_the_commands_of_the_examples_can_be_tried_without_typing_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in os.environ if name.startswith("POOLDECK_")]:
        monkeypatch.delenv(name)
    commands = Settings(config=ROOT / "examples" / "pooldeck.toml").declared_commands

    assert [command.name for command in commands] == ["commands.count_words"]
    for command in commands:
        values = {name: command.parameter(name).default for name in command.placeholders()}
        assert shutil.which(command.arguments(values)[0])
        assert command.description


def test_a_killed_server_leaves_no_command_behind(tmp_path: Path) -> None:
    (tmp_path / "pooldeck.toml").write_text(CONFIGURATION)
    log = tmp_path / "tasks.log"
    with serving(tmp_path) as server:
        server.wait_until_ready()
        server.client.post("/api/v1/tasks", json={"function": "commands.family"})
        eventually(lambda: log.exists() and log.read_text().count("\n") == 2)
        pids = [int(line.rsplit(maxsplit=1)[1]) for line in log.read_text().splitlines()]
        assert all(map(_is_ours, pids))

        server.process.send_signal(signal.SIGKILL)
        server.wait()

        eventually(lambda: not any(map(_is_ours, pids)))


def _is_ours(pid: int) -> bool:
    """Tell whether a process runs that a server has started."""
    try:
        return BOOT.encode() in Path(f"/proc/{pid}/environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False
