"""All that can be known of a deployment at one moment: what the oracle judges."""

import importlib
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from contextlib import closing
from typing import Any

from msgspec import Struct

from pooldeck.functions import OPTIONS_ATTRIBUTE, Options
from tests.faults.deployment import Deployment
from tests.faults.effects import Effect
from tests.faults.ledger import Entry, Ledger

_PAGE = 500
_KEYS = "SELECT id, idempotency_key FROM tasks WHERE idempotency_key IS NOT NULL"


class Picture(Struct, frozen=True):
    """What the client, the functions, the API and the database file say."""

    entries: list[Entry]
    complaints: list[str]
    effects: list[Effect]
    tasks: dict[str, Any]  # by id
    attempts: dict[str, list[Any]]  # of those tasks that began more than once
    incidents: list[Any]
    killed: Collection[int]  # the workers that were killed from outside, by process id
    killed_with_it: Collection[int]  # those that were killed with their server
    keys: dict[str, str]  # the idempotency key of each task that has one in the database
    counters: Counter[tuple[str, str, str]]
    recount: Counter[tuple[str, str, str]]
    integrity: str

    @classmethod
    def take(
        cls,
        deployment: Deployment,
        ledger: Ledger,
        killed: Collection[int] = (),
        killed_with_it: Collection[int] = (),
    ) -> "Picture":
        """Look at everything; nothing should be running any more."""
        tasks = {task["id"]: task for task in listed(deployment, "/tasks")}
        for task in tasks.values():
            if task["omitted"]:
                tasks[task["id"]] = deployment.get(f"/tasks/{task['id']}")
        rerun = [task["id"] for task in tasks.values() if task["attempt"] > 1]
        with closing(sqlite3.connect(f"file:{deployment.database}?mode=ro", uri=True)) as database:
            return cls(
                entries=ledger.entries,
                complaints=ledger.complaints,
                effects=deployment.effects(),
                tasks=tasks,
                attempts={
                    task: deployment.get(f"/tasks/{task}/attempts")["items"] for task in rerun
                },
                incidents=listed(deployment, "/incidents"),
                killed=killed,
                killed_with_it=killed_with_it,
                **_stored(database),
            )

    def starts(self) -> dict[str, Counter[int]]:
        """Return how often each attempt of each task started, as the functions noted it."""
        starts: defaultdict[str, Counter[int]] = defaultdict(Counter)
        for line in self.effects:
            if line.what == "start":
                starts[line.task][line.attempt] += 1
        return starts

    def all_attempts(self) -> Iterator[tuple[Any, Any]]:
        """Yield each task with each of its attempts; the last one is told by the task itself."""
        for task in self.tasks.values():
            for attempt in self.attempts.get(task["id"], [task]):
                yield task, attempt


def _stored(database: sqlite3.Connection) -> dict[str, Any]:
    database.execute("BEGIN")  # one moment for all that follows
    moves = database.execute("SELECT pool, function, state, n FROM counters WHERE n != 0")
    rows = database.execute("SELECT pool, function, state FROM tasks")
    return {
        "counters": Counter({(pool, name, state): n for pool, name, state, n in moves}),
        "recount": Counter(rows.fetchall()),
        "keys": dict(database.execute(_KEYS).fetchall()),
        "integrity": database.execute("PRAGMA integrity_check").fetchone()[0],
    }


def listed(deployment: Deployment, path: str) -> list[Any]:
    """Return everything that a list of the API has, page by page."""
    items, cursor = [], ""
    while True:
        page = deployment.get(f"{path}?limit={_PAGE}{cursor}")
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        cursor = f"&cursor={page['next_cursor']}"


def options_of(function: str) -> Options:
    """Return the options that a function was registered with, by its full name."""
    module, _, name = function.rpartition(".")
    registered = getattr(importlib.import_module(f"tests.functions.{module}"), name)
    options: Options = getattr(registered, OPTIONS_ATTRIBUTE)
    return options
