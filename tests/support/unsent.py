"""Logs of calls outside a worker, which are sent to nobody."""

from pooldeck.protocol import Call, Limits
from pooldeck.worker.logs.gathered_log import Outlet
from pooldeck.worker.logs.last_words import LastWords
from pooldeck.worker.logs.task_log import OwnLog, TaskLog


def unsent_log(call: Call) -> TaskLog:
    outlet = Outlet(lambda _frame: None, Limits(), LastWords(None, 0))
    return TaskLog(call, outlet, OwnLog(outlet, lambda: None))
