"""Has a server load changed code, and says what it has loaded, or why it could not."""

import time
from typing import Any, Final

from msgspec import Struct

from pooldeck_server.command_line.complaint import Complaint
from pooldeck_server.developing.screen import DevScreen
from pooldeck_server.remote.formats import counted
from pooldeck_server.remote.pools import replaced
from pooldeck_server.remote.server import RefusedError, RemoteServer, ServerError

_STARTING: Final = 60.0  # seconds that the first workers may take before something is said
_ROLLING: Final = 5.0  # seconds after which it is looked what keeps others from their places
_PAUSE: Final = 0.1


def say_what_is_loaded(server: RemoteServer, screen: DevScreen) -> None:
    """Wait until workers have loaded the functions for the first time, and say which there are.

    Raises:
        ServerError: If the server ends meanwhile.
    """
    until = time.monotonic() + _STARTING
    while (found := _functions(server)) is None and time.monotonic() < until:
        if reasons := _reasons(server):
            break
        time.sleep(_PAUSE)
    if found is None:
        reasons = _reasons(server)
        screen.say("no worker can start", is_bad=True)
        screen.traceback("\n".join(reasons) or "they take long")
    elif not _say_failures(found, screen):
        names = [each["name"] for each in found["items"]]
        screen.say(f"{counted(len(names), 'function')}: {', '.join(names)}")


def reload(server: RemoteServer, screen: DevScreen) -> None:
    """Replace the workers of all pools by ones with the code as it is now.

    What runs is finished by the old ones: it is not waited for for long.

    Raises:
        ServerError: If the server ends meanwhile.
    """
    before = server.get("/pools")["items"]
    begun = [_begun(server, pool) for pool in before]
    outcomes = [_outcome(server, old, new) for old, new in zip(before, begun, strict=True) if new]
    found = _functions(server) or {"items": [], "failed_modules": []}
    if _say_failures(found, screen, "; what was loaded before goes on" if found["items"] else ""):
        return
    if troubles := [each.trouble for each in outcomes if each.trouble]:
        screen.say("workers with the new code cannot start", is_bad=True)
        screen.traceback("\n".join(dict.fromkeys(troubles)))
        return
    late = ", ".join(each.pool for each in outcomes if each.is_late)
    further = f"; what runs in {late} ends with the code that it began with" if late else ""
    screen.say(f"loaded: {counted(len(found['items']), 'function')}{further}")


def _begun(server: RemoteServer, pool: dict[str, Any]) -> dict[str, Any] | None:
    """Begin to replace the workers of a pool; None if it cannot be done now."""
    try:
        begun: dict[str, Any] = server.post(f"/pools/{server.part(pool['name'])}/restart")
    except RefusedError:  # as of a pool that is stopped
        return None
    return begun


class _Outcome(Struct, frozen=True):
    """What came of a restart: why there are no new workers, or that old ones are there still."""

    pool: str
    trouble: str | None = None
    is_late: bool = False


def _outcome(server: RemoteServer, old: dict[str, Any], new: dict[str, Any]) -> _Outcome:
    """Wait until a pool has new workers, but not for what its old ones run."""
    name = old["name"]
    workers = {each["id"] for each in old["workers"]}
    path = f"/pools/{server.part(name)}"
    until = time.monotonic() + _STARTING
    try:
        while (found := replaced(server, path, workers, new["reason"], within=_ROLLING)) is None:
            if _are_busy(server, path, workers) or time.monotonic() > until:
                break
    except ServerError:
        raise
    except Complaint as complaint:
        return _Outcome(name, trouble="\n".join(complaint.lines))
    return _Outcome(name, is_late=found is None)


def _are_busy(server: RemoteServer, path: str, workers: set[str]) -> bool:
    """Tell whether something still runs in one of these workers."""
    found = server.get(path)["workers"]
    slots = [slot for each in found if each["id"] in workers for slot in each["slots"]]
    return any(slot["task"] is not None for slot in slots)


def _functions(server: RemoteServer) -> dict[str, Any] | None:
    """Return what can be called; None as long as no worker has said so."""
    try:
        found: dict[str, Any] = server.get("/functions")
    except RefusedError:
        return None
    return found if found["items"] or found["failed_modules"] or found["empty_modules"] else None


def _reasons(server: RemoteServer) -> list[str]:
    """Return why pools are broken, where all are."""
    pools = server.get("/pools")["items"]
    reasons = [pool["reason"] or pool["name"] for pool in pools if pool["state"] == "broken"]
    return reasons if len(reasons) == len(pools) else []


def _say_failures(found: dict[str, Any], screen: DevScreen, further: str = "") -> bool:
    """Say which modules could not be loaded, and which have no functions; tell whether any."""
    for each in found["failed_modules"]:
        screen.say(f"{each['module']} cannot be loaded{further}", is_bad=True)
        screen.traceback(each["traceback"] or f"{each['type']}: {each['message']}")
    for each in found.get("empty_modules", []):
        screen.say(f"{each} has no function with @task", is_bad=True)
    return bool(found["failed_modules"])
