"""Which lines go to standard error, tried in a process of its own with a real one."""

import os
import pty
import subprocess
import sys

import pytest

PROGRAM = """
import logging, sys, threading, warnings
from pooldeck_server.settings import TerminalSettings
from pooldeck_server.terminal.setup import speak

speak(TerminalSettings(level=sys.argv[1], format=sys.argv[2]))
log = logging.getLogger("pooldeck_server.tests")
log.debug("a debug line")
log.info("an info line")
log.warning("a warning line")
logging.getLogger("others").debug("a debug line of others")
warnings.warn("a warning of Python")
thread = threading.Thread(target=lambda: 1 / 0, name="unlucky")
thread.start()
thread.join()
sys.exit(0 if sys.argv[3:] else [].pop())
"""
SEEN = {
    "quiet": {"a warning line"},
    "normal": {"a warning line", "an info line"},
    "verbose": {"a warning line", "an info line", "a debug line"},
}
EVERY = SEEN["verbose"] | {"a debug line of others"}


def said(level: str, form: str) -> list[str]:
    completed = subprocess.run(
        [sys.executable, "-c", PROGRAM, level, form],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert completed.returncode == 1
    return completed.stderr.splitlines()


@pytest.mark.parametrize("level", SEEN)
def test_each_level_has_its_lines_and_warnings_and_defects_are_in_all(level: str) -> None:
    lines = said(level, "text")

    assert {words for words in EVERY for line in lines if line.endswith(f": {words}")} == SEEN[
        level
    ]
    assert any("UserWarning: a warning of Python" in line for line in lines)
    assert any("CRITICAL" in line and "thread unlucky" in line for line in lines)
    assert any("CRITICAL" in line and "the process ended" in line for line in lines)


def test_as_json_every_line_is_an_object_also_warnings_of_python_and_defects() -> None:
    lines = said("normal", "json")

    assert all(line.startswith('{"time": ') and line.endswith("}") for line in lines)
    assert any("a warning of Python" in line for line in lines)
    assert any("ZeroDivisionError" in line for line in lines)
    assert any("IndexError" in line for line in lines)


def on_a_terminal(**environment: str) -> str:
    """Return what a terminal gets of the program."""
    ours, theirs = pty.openpty()
    others = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "TERM"}}
    subprocess.run(
        [sys.executable, "-c", PROGRAM, "quiet", "text", "in good order"],
        stderr=theirs,
        env=others | environment,
        timeout=60,
        check=True,
    )
    os.close(theirs)
    try:
        return os.read(ours, 65536).decode()
    finally:
        os.close(ours)


def test_a_terminal_gets_colours_unless_somebody_wants_none() -> None:
    assert "\x1b[33mWARNING\x1b[0m" in on_a_terminal(TERM="xterm")
    assert "\x1b" not in on_a_terminal(TERM="xterm", NO_COLOR="1")
    assert "\x1b" not in on_a_terminal(TERM="dumb")
    assert not any("\x1b" in line for line in said("quiet", "text"))
