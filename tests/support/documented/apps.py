"""An app of an example, served by uvicorn as its readers would."""

import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.support.no_tls import NO_TLS, PATIENCE
from tests.support.programs import started
from tests.support.waiting import eventually


@contextmanager
def app_running(
    folder: Path, module: str, environment: Mapping[str, str], path: str = "/openapi.json"
) -> Iterator[str]:
    """Serve `app` of a module in `folder`; yield its host and port."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", f"{module}:app", "--port", port]
    place = f"127.0.0.1:{port}"
    with started(command, cwd=folder, env=dict(environment), stderr=subprocess.DEVNULL) as process:
        eventually(lambda: _answers(f"http://{place}{path}"), "the app answers")
        yield place
        process.terminate()
        process.wait(60)


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return str(listener.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=PATIENCE, verify=NO_TLS).is_success
    except httpx.TransportError:
        return False
