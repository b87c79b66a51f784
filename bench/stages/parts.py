"""Which functions of the server each stage is made of: names that are expected to stay.

A name is a module, a colon, and where in the module. Within one stage the call of another one
counts for that. What no stage has stays with the thread that it passes on.
"""

from typing import Final

_SERVER: Final = "pooldeck_server"
_RECORDS: Final = f"{_SERVER}.store.records"
_TASKS: Final = f"{_SERVER}.runtime.tasks"
_LIVE: Final = f"{_SERVER}.runtime.live"

STAGES: Final = {
    "read": (
        f"{_SERVER}.web.http.protocol.connection:Connection.data_received",
        "uvicorn.protocols.http.httptools_impl:RequestResponseCycle.run_asgi",
    ),
    "check": (f"{_TASKS}.intake:Intake.submit", f"{_TASKS}.intake:Intake.submit_batch"),
    "bind": (f"{_SERVER}.domain.functions.catalogue:RegisteredFunction.check",),
    "store": (f"{_RECORDS}.waiting:insert_tasks",),
    "claim": (f"{_TASKS}.dispatcher:Dispatcher.pump", f"{_RECORDS}.attempts:claim"),
    "frame": ("pooldeck.pools.pool:Pool.post",),
    "frame back": ("pooldeck.pools.supervisor:WorkerProcess.data_received",),
    "end": (
        f"{_TASKS}.running:RunningTasks.finished",
        f"{_TASKS}.running:RunningTasks.report",
        f"{_RECORDS}.attempts:end",
    ),
    "commit": (f"{_SERVER}.store.database:Database.transaction",),
    "tally": (
        f"{_SERVER}.store.tally:add_counts",
        f"{_TASKS}.counts:Counts.on_commit",
        f"{_TASKS}.totals:Totals.on_commit",
        f"{_LIVE}.history:PoolHistory.on_commit",
    ),
    "feed": (
        f"{_LIVE}.frames:Frames.on_commit",
        f"{_SERVER}.runtime.recording.waiters:Waiters.on_commit",
        f"{_SERVER}.runtime.recording.watches:Watches.on_commit",
    ),
}
"""The parts of each stage that the server carries out, in the order of a task's way."""

RUN: Final = "run"
"""The stage between `frame` and `frame back`: all that the workers do."""

MEANINGS: Final = {
    "read": "HTTP in and out: parsing, routing, who asks, JSON of the body, the answer",
    "check": "what a submission asks for, its id, its row, room in the queue",
    "bind": "arguments against the function's signature",
    "store": "rows of new tasks",
    "claim": "choosing what goes next, and its mark in the store",
    "frame": "the call as a frame, to a worker",
    RUN: "the worker: reading the frame, the black box, the call, what it used, the answer",
    "frame back": "the worker's frames, read, and slots freed",
    "end": "the outcome as a row",
    "commit": "the transaction's begin and commit, with the sync to the disk",
    "tally": "counters, activity, histograms",
    "feed": "what waits for tasks, and what is shown",
}
"""What each stage is, in the order of a task's way."""
