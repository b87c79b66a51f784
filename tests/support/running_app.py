"""`tests.support.beside_app`, an app with a server beside it, as uvicorn runs it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from pooldeck.beside.attachment import Attachment
from tests import ROOT
from tests.support.beside import BOUND
from tests.support.no_tls import NO_TLS, PATIENCE
from tests.support.programs import started
from tests.support.waiting import eventually


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def app(folder: Path, *options: str) -> "Iterator[tuple[str, subprocess.Popen[Any]]]":
    """Run the app of these tests; yield where it is, and its process."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "tests.support.beside_app:app", *options]
    environment = os.environ | {"DATA_OF_APP": str(folder)}
    with started([*command, "--port", str(port)], cwd=ROOT, env=environment) as process:
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: answers(url), "the app answers")
        yield url, process
        if process.poll() is None:
            process.terminate()
            process.wait(BOUND)
    for server in filter(Path.is_dir, folder.iterdir()):
        assert Attachment(server).wait_for_end(BOUND)


def answers(url: str) -> bool:
    try:
        return (
            httpx.get(f"{url}/pid", trust_env=False, timeout=PATIENCE, verify=NO_TLS).status_code
            == 200
        )
    except httpx.TransportError:
        return False
