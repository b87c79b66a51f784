"""The screen: draws what there is, takes keys, and ends with the terminal as it was."""

import sys
import time
from typing import Final

from rich.console import Console, Group
from rich.live import Live

from pooldeck_server.remote.server import RemoteServer
from pooldeck_server.remote.top import keyboard as keys
from pooldeck_server.remote.top.deeds import Deeds
from pooldeck_server.remote.top.feed import Feed
from pooldeck_server.remote.top.keyboard import Keyboard, keyboard
from pooldeck_server.remote.top.log import TaskTail
from pooldeck_server.remote.top.snapshot import PoolRow, RunningRow
from pooldeck_server.remote.top.state import Question, TopState
from pooldeck_server.remote.top.view import Shown, screen

_LOOK: Final = 1.0  # seconds after which it is drawn anew in any case
_PAGE: Final = 10  # lines that a page key moves
_QUIT: Final = "q"
_IF_KILLED: Final = {
    "worker_ended": "its worker ends with it",
    "command_ended": "its command ends",
    "abandoned": "its thread cannot be ended, and may run on",
    "never_started": "it never starts",
    "unreached": "its host has no contact, and is asked to when it has",
}
_STEPS: Final = {
    keys.UP: -1,
    keys.DOWN: 1,
    keys.PAGE_UP: -_PAGE,
    keys.PAGE_DOWN: _PAGE,
    keys.HOME: -(10**9),
    keys.END: 10**9,
}


def show(server: RemoteServer) -> None:
    """Show the deck until q is pressed, or the terminal is gone.

    Raises:
        KeyboardInterrupt: On Ctrl-C, or if the process is told to end; the terminal is as before.
    """
    console = Console(highlight=False)
    with (
        keyboard(sys.stdin.fileno()) as board,
        Live(console=console, screen=True, auto_refresh=False) as live,
    ):
        top = Top(server, board)
        try:
            top.run(console, live)
        finally:
            top.close()


class Top:
    """What is shown, and what keys do to it."""

    def __init__(self, server: RemoteServer, board: Keyboard) -> None:
        self._server, self._board = server, board
        self._feed = Feed(server, board.wake)
        self._deeds = Deeds(server, self._say)
        self._state = TopState()
        self._is_over = False

    def run(self, console: Console, live: Live) -> None:
        """Draw and take keys until it is over."""
        self._feed.start()
        while not self._is_over and not self._board.is_gone:
            lines = screen(self._shown(), self._state, console.width, console.height)
            live.update(Group(*lines), refresh=True)
            for key in self._board.wait(_LOOK):
                self._press(key)

    def close(self) -> None:
        self._feed.stop()
        self._leave_log()

    def _shown(self) -> Shown:
        feed = self._feed
        age = time.monotonic() - feed.taken_at
        return Shown(self._server.url, feed.snapshot, age, feed.failures, feed.trouble)

    def _say(self, words: str) -> None:
        self._state.message = words
        self._board.wake()

    def _press(self, key: str) -> None:
        state = self._state
        state.message = ""
        if state.question is not None:
            question, state.question = state.question, None
            if key in {"y", "Y"}:
                question.do()
        elif state.has_help:
            state.has_help = False
        elif state.log is not None:
            self._press_in_log(key)
        else:
            self._press_in_deck(key)

    def _press_in_log(self, key: str) -> None:
        if key in {_QUIT, keys.ESCAPE, keys.ENTER}:
            self._leave_log()
        elif key in _STEPS:
            self._state.offset = max(self._state.offset - _STEPS[key], 0)

    def _press_in_deck(self, key: str) -> None:
        snapshot = self._feed.snapshot
        if key == _QUIT:
            self._is_over = True
        elif key == "?":
            self._state.has_help = True
        elif key in _STEPS:
            self._state.move(snapshot, _STEPS[key])
        else:
            match self._state.row(snapshot):
                case PoolRow() as pool:
                    self._press_on_pool(key, pool)
                case RunningRow() as task:
                    self._press_on_task(key, task)

    def _press_on_pool(self, key: str, pool: PoolRow) -> None:
        if key == "p":
            self._deeds.pause(pool.name, is_paused=pool.state == "running")
        elif key == "r":
            words = f"restart {pool.name}, replacing its workers one by one?"
            self._state.question = Question(words, lambda: self._deeds.restart(pool.name))
        elif key in {"k", keys.ENTER}:
            self._state.message = "select a running task by the arrows for that"

    def _press_on_task(self, key: str, task: RunningRow) -> None:
        if key == "k":
            then = _IF_KILLED.get(task.if_killed or "", "it is abandoned already")
            words = f"kill {task.function} of {task.pool}? {then}."
            do = lambda: self._deeds.kill(task.task, task.function)  # noqa: E731  (asked first)
            self._state.question = Question(words, do)
        elif key == keys.ENTER:
            self._state.log = TaskTail(self._server, task.task, self._board.wake)
            self._state.offset = 0
        elif key in {"p", "r"}:
            self._state.message = "select a pool by the arrows for that"

    def _leave_log(self) -> None:
        if self._state.log is not None:
            self._state.log.stop()
            self._state.log = None
