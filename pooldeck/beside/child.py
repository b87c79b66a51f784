"""The server as a child process: its command, its environment, and how its start is awaited.

It runs in a session of its own, so that Ctrl-C at a terminal reaches the program alone, which then
ends it. What it writes goes into a file of its data folder. Its settings are what the program has
said: no variable and no configuration file that happens to be there counts.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from pooldeck.beside import address as addresses
from pooldeck.beside.address import Address
from pooldeck.beside.attachment import FOLDER
from pooldeck.beside.modules import import_path
from pooldeck.beside.toml import written

LOG: Final = "server.log"
_CONFIG: Final = f"{FOLDER}/settings.toml"
_OURS: Final = "POOLDECK_"
_PAUSE: Final = 0.02  # seconds between two looks
_ANSWER: Final = 30.0  # seconds for one answer
_SAID: Final = 4000  # characters of what a server has said that did not start
_OK: Final = 200
_LOADABLE: Final = "/api/v1/functions"


class ServerNotStarted(RuntimeError):  # noqa: N818 - it says what happened
    """No server could be started beside the program; the message says why."""


class Start(Struct, frozen=True):
    """What is started: the modules of a server, its settings, and where its data goes."""

    data: Path
    modules: tuple[str, ...]
    settings: Mapping[str, Any]
    is_temporary: bool = False  # the data goes with the server

    @property
    def log_file(self) -> Path:
        """Where the server writes what it has to say."""
        return self.data / LOG


def launched(start: Start) -> "subprocess.Popen[bytes]":
    """Start the server, which is not ready yet; somebody has to be attached to its data folder.

    Raises:
        ServerNotStarted: If the process cannot be started.
        TypeError: If a setting is of a type that none can have.
    """
    Address.remove(start.data)
    config = start.data / _CONFIG
    config.unlink(missing_ok=True)
    config.touch(mode=0o600, exist_ok=False)  # there may be a token in it
    config.write_text(written({"port": 0, **start.settings}))
    try:
        with start.log_file.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - the interpreter and our own module
                command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=_environment(start, config),
            )
    except OSError as error:
        raise ServerNotStarted(f"the server cannot be started: {error}") from error


def command() -> list[str]:
    """Return the command that serves, in an interpreter that user code cannot reach."""
    user_site = ["-s"] if sys.flags.no_user_site else []
    return [sys.executable, "-P", "-E", *user_site, "-m", "pooldeck_server", "serve"]


def _environment(start: Start, config: Path) -> dict[str, str]:
    """Return this program's environment, with its own import path for the workers."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return others | {
        "PYTHONPATH": import_path(),
        "POOLDECK_CONFIG": str(config),
        "POOLDECK_DATA": str(start.data),
        "POOLDECK_FUNCTIONS": ",".join(start.modules),
        addresses.VARIABLE: addresses.TEMPORARY if start.is_temporary else addresses.KEPT,
    }


def wait_until_ready(
    process: "subprocess.Popen[bytes]", start: Start, seconds: float
) -> tuple[Address, str | None]:
    """Return where the server is, once it takes tasks, and why not all is loaded, None if all is.

    Raises:
        ServerNotStarted: If it does not come to that within so many seconds; it has ended then.
    """
    until = time.monotonic() + seconds
    try:
        address = _answering(process, start, until)
        _wait_for_workers(process, start, address, until)
        return address, _not_loaded(address)
    except BaseException:
        end(process, 0)
        raise


def _answering(process: "subprocess.Popen[bytes]", start: Start, until: float) -> Address:
    while (address := Address.read(start.data)) is None:
        _pause(process, start, until)
    return address


def _wait_for_workers(
    process: "subprocess.Popen[bytes]", start: Start, address: Address, until: float
) -> None:
    while (status := _get(address, "/readyz")[0]) != _OK:
        if status and (reason := _broken(address)):
            raise ServerNotStarted(f"no worker can run anything: {reason}")
        _pause(process, start, until)


def _pause(process: "subprocess.Popen[bytes]", start: Start, until: float) -> None:
    if process.poll() is not None:
        raise ServerNotStarted(f"the server has ended at its start: {_said(start)}")
    if time.monotonic() >= until:
        raise ServerNotStarted(f"the server takes too long to start; so far: {_said(start)}")
    time.sleep(_PAUSE)


def _said(start: Start) -> str:
    """Return what the server has said: its complaints alone, where there are any."""
    text = start.log_file.read_text(errors="replace").strip()
    complaints = [line for line in text.splitlines() if line.startswith("pooldeck: ")]
    found = "\n".join(line.removeprefix("pooldeck: ") for line in complaints) or text
    return found[-_SAID:] or "it has said nothing"


def _broken(address: Address) -> str | None:
    """Return why pools are broken, None if one of them is not."""
    _, found = _get(address, "/api/v1/pools")
    pools = found.get("items", [])
    reasons = [str(pool["reason"]) for pool in pools if pool["state"] == "broken"]
    return reasons[0] if reasons and len(reasons) == len(pools) else None


def _not_loaded(address: Address) -> str | None:
    """Return what could not be loaded, with its traceback; None for nothing."""
    _, found = _get(address, _LOADABLE)
    failed = [
        f"the module {each['module']} cannot be loaded: {_shown(each)}"
        for each in found.get("failed_modules", [])
    ]
    return "\n".join(failed) or None


def _shown(error: Mapping[str, Any]) -> str:
    return str(error.get("traceback") or f"{error.get('type')}: {error.get('message')}")


def _get(address: Address, path: str) -> tuple[int, dict[str, Any]]:
    """Return the status and the JSON that the server answers; 0 and nothing if it does not."""
    place = urlsplit(address.url)
    headers = {} if address.token is None else {"Authorization": f"Bearer {address.token}"}
    connection = HTTPConnection(place.hostname or "", place.port, timeout=_ANSWER)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        text = answer.read()
        found = json.loads(text) if text.startswith(b"{") else {}
    except (OSError, HTTPException):
        return 0, {}
    finally:
        connection.close()
    return answer.status, found


def end(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """End a server in good order; kill it if that takes more than so many seconds.

    What it has started ends with it in any case.
    """
    if seconds > 0:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        else:
            return
    process.kill()
    process.wait()
