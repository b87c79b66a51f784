"""Whether the modules of functions can be imported, each in a process of its own.

The process is as a worker's: its working directory, import path and environment, and it is ended
with all that it has started when its time is over. Importing runs what stands in the module.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final

from pooldeck.inherited import inherited
from pooldeck.pools.native_threads import thread_variables, threads_per_task
from pooldeck_server.doctor.findings import CheckResult, look, ok, wrong
from pooldeck_server.settings import Settings

_TOPIC: Final = "modules"
_AT_ONCE: Final = 2
_LONGEST: Final = 300  # characters of what went wrong
_MOST_BYTES: Final = 65536  # of what a process reports
_PROGRAM: Final = str(Path(__file__).with_name("importing.py"))


def look_at(settings: Settings) -> Iterator[CheckResult]:
    """Import every module, and those of the initializers."""
    environment = _environment(settings)
    asked = [("module", name) for name in settings.functions]
    asked += [
        ("initializer", each.initializer) for each in settings.pools.values() if each.initializer
    ]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        tried = partial(_try, environment=environment, limit=settings.boot_seconds)
        found = threads.map(tried, *zip(*asked, strict=True)) if asked else ()
        for (kind, name), said in zip(asked, found, strict=True):
            yield _finding(kind, name, said)


def _environment(settings: Settings) -> dict[str, str]:
    pool = next(iter(settings.pools.values()))
    threads = threads_per_task(pool.kind, pool.slots, pool.threads_per_task)
    environment = inherited(os.environ)
    return environment | thread_variables(environment, threads) | {"PYTHONDONTWRITEBYTECODE": "1"}


def _finding(kind: str, name: str, said: dict[str, Any]) -> CheckResult:
    if error := said.get("error"):
        mend = "mend it, or take it out of the settings; its functions are missing until then"
        return wrong(_TOPIC, f"{kind} {name}: {error[:_LONGEST]}", mend)
    if kind == "initializer":
        return ok(_TOPIC, f"initializer {name} is there")
    number = said["functions"]
    seconds = f"in {said['seconds']:.1f} s"
    if not number:
        return look(
            _TOPIC,
            f"{name} is imported {seconds} and registers no function",
            "mark functions with @task, or take it out of the settings",
        )
    return ok(_TOPIC, f"{name}: {number} function{'' if number == 1 else 's'}, imported {seconds}")


def _try(kind: str, name: str, *, environment: dict[str, str], limit: float) -> dict[str, Any]:
    """Import a module in a process; return what it reports, `error` if that is not possible."""
    reading, writing = os.pipe()
    began = time.monotonic()
    try:
        process = subprocess.Popen(  # noqa: S603 - the interpreter and our own program
            [sys.executable, "-P", _PROGRAM, str(writing), kind, name],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(writing,),
            start_new_session=True,
            env=environment,
        )
    finally:
        os.close(writing)
    try:
        code = process.wait(limit)
    except subprocess.TimeoutExpired:
        return {"error": f"its import took longer than boot_seconds, {limit:g} s"}
    finally:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        said = _rest(reading)
    if not said:
        return {"error": f"its import ended the process with code {code}"}
    return said | {"seconds": time.monotonic() - began}


def _rest(descriptor: int) -> dict[str, Any]:
    os.set_blocking(descriptor, False)
    try:
        with open(descriptor, "rb", closefd=True) as file:
            said: dict[str, Any] = json.loads(file.read(_MOST_BYTES) or b"{}")
    except (ValueError, OSError):
        return {}
    return said
