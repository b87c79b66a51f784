"""Servers beside programs, in tests: small ones, and how they are asked."""

from typing import Any, Final

import httpx

from pooldeck.beside.server import Server
from tests.support.no_tls import NO_TLS

POOLS: Final = {"cpu": {"kind": "process", "size": 1, "spare": 0}}
MODULE: Final = "tests.functions.beside_functions"
BOUND: Final = 120.0  # seconds that anything may take


def result_of(url: str, function: str, *args: object, headers: Any = None) -> Any:
    """Run a function on the server at `url`, and return its result."""
    answer = httpx.post(
        f"{url}/api/v1/tasks",
        params={"wait": 60},
        json={"function": function, "args": args},
        headers=headers,
        timeout=BOUND,
        trust_env=False,
        verify=NO_TLS,
    )
    assert answer.status_code == 200, answer.text
    task = answer.json()
    assert task["state"] == "succeeded", task["error"]
    return task["result"]


def run(server: Server, function: str, *args: object) -> Any:
    return result_of(server.url, f"{MODULE}.{function}", *args, headers=shown(server))


def shown(server: Server) -> dict[str, str]:
    """Return the header that lets a program in."""
    return {"Authorization": f"Bearer {server.token}"}
