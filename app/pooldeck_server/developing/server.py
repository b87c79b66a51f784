"""The server of `pooldeck dev`: a child that lives no longer than this process."""

import contextlib
import json
import os
import subprocess
import time
from pathlib import Path
from threading import Thread
from typing import Any, Final, Self

from msgspec import Struct

from pooldeck.beside import address as addresses
from pooldeck.beside import child
from pooldeck.beside.address import Address
from pooldeck.beside.attachment import Attachment
from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.developing.project import Project
from pooldeck_server.developing.screen import DevScreen

_GRACE: Final = 1.0  # seconds that what runs may go on
_TO_END: Final = 5.0  # seconds beside that
_PAUSE: Final = 0.05  # seconds between two looks
_SETTINGS: Final = {
    # A file that is changed within a second, at the same length, is not told from its bytecode.
    "PYTHONDONTWRITEBYTECODE": "1",
    "POOLDECK_ACCESS": "local",
    "POOLDECK_GRACE_SECONDS": str(_GRACE),
    "POOLDECK_LOG__PATH": "-",
    "POOLDECK_LOG__FORMAT": "json",
    "POOLDECK_TERMINAL__LEVEL": "quiet",
    "POOLDECK_TERMINAL__FORMAT": "json",
    addresses.VARIABLE: addresses.KEPT,
}
"""What holds for a server of this kind, whatever its file says."""


_KNOWN: Final = {
    f"pooldeck_server.{name}"
    for name in ("runtime.tasks.code_news", "runtime.tasks.breakage", "store.database")
}
"""Loggers that tell what is said here in other words, or what is no matter to who develops."""


class Wanted(Struct, frozen=True):
    """What is to be served, where its record is, and on which port: 0 is a free one."""

    project: Project
    data: Path
    port: int = 0


class DevServer:
    """A server, started anew as often as needed, on one port. Use it as a context manager.

    Raises:
        Complaint: If another process has it started already, or the folder cannot be used.
    """

    def __init__(self, wanted: Wanted, screen: DevScreen) -> None:
        self._wanted, self._screen = wanted, screen
        self._port = wanted.port
        self._process: subprocess.Popen[bytes] | None = None
        self._attachment = _attached(wanted.data)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.end()
        finally:
            if self._process is not None:  # Ctrl-C once more
                child.end(self._process, 0)
            self._attachment.close()

    @property
    def exit_code(self) -> int | None:
        """What it has ended with; None while it runs."""
        return None if self._process is None else self._process.poll()

    def start(self) -> Address | None:
        """Start it and return where it is; None if it ended instead, having said why."""
        Address.remove(self._wanted.data)
        self._process = subprocess.Popen(  # noqa: S603  (our own command)
            [*child.command(), *self._arguments()],
            cwd=self._wanted.project.folder,
            env={**os.environ, **_SETTINGS},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for this process alone, which then ends it
        )
        for show in (self._show_lines, self._show_own_words):
            Thread(target=show, args=(self._process,), daemon=True).start()
        while (address := Address.read(self._wanted.data)) is None:
            if self._process.poll() is not None:
                return None
            time.sleep(_PAUSE)
        self._port = int(address.url.rpartition(":")[2])
        return address

    def end(self) -> None:
        """End it; what runs may go on for a second."""
        if self._process is not None:
            child.end(self._process, _GRACE + _TO_END)
            self._process = None

    def _arguments(self) -> list[str]:
        wanted = self._wanted
        modules = ["--functions", wanted.project.module] if wanted.project.module else []
        place = ["--host", "127.0.0.1", "--port", str(self._port), "--data", str(wanted.data)]
        return [*place, *modules]

    def _show_lines(self, process: "subprocess.Popen[bytes]") -> None:
        """Show what tasks say, until the server ends."""
        assert process.stdout is not None  # noqa: S101  (it is a pipe)
        for line in process.stdout:
            with contextlib.suppress(ValueError, KeyError):  # what a library writes there
                record: dict[str, Any] = json.loads(line)
                self._screen.task_line(record)

    def _show_own_words(self, process: "subprocess.Popen[bytes]") -> None:
        """Show what the server has to say itself; complaints about settings are no JSON."""
        assert process.stderr is not None  # noqa: S101  (it is a pipe)
        for line in process.stderr:
            try:
                record: dict[str, Any] = json.loads(line)
                if record["logger"] not in _KNOWN:
                    self._show_record(record)
            except (ValueError, KeyError, TypeError):
                self._screen.say(line.decode(errors="replace").rstrip(), is_bad=True)

    def _show_record(self, record: dict[str, Any]) -> None:
        self._screen.say(f"{record['level']} {record['message']}", is_bad=True)
        if traceback := record.get("traceback"):  # of a defect
            self._screen.traceback(traceback)


def _attached(data: Path) -> Attachment:
    """Return the hold on a data folder, which keeps its server alive."""
    try:
        if not data.exists():
            data.mkdir(mode=0o700, parents=True)
            (data / ".gitignore").write_text("*\n")  # a record is no part of a project
        attachment = Attachment(data)
    except OSError as error:
        raise Complaint(f"{data}: {error.strerror or error}") from None
    with attachment.starting():
        if attachment.is_served or not attachment.attach():
            attachment.close()
            raise Complaint(f"another server uses {data}: end it, or give another folder by --data")
    return attachment
