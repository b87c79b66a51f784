"""Answers of the API, as they stand in JSON; the OpenAPI document is made from these same structs.

Arguments, results and errors are spliced in as the JSON texts that the store keeps: they are never
decoded here.
"""

from app.web.schemas.functions import Function, FunctionList, Statistics
from app.web.schemas.pools import Pool, PoolList, Worker
from app.web.schemas.problems import Problem
from app.web.schemas.tasks import (
    Attempt,
    AttemptList,
    Cancellation,
    Ids,
    LogLine,
    LogLines,
    Task,
    TaskList,
)
from app.web.schemas.types import timestamp

__all__ = [
    "Attempt",
    "AttemptList",
    "Cancellation",
    "Function",
    "FunctionList",
    "Ids",
    "LogLine",
    "LogLines",
    "Pool",
    "PoolList",
    "Problem",
    "Statistics",
    "Task",
    "TaskList",
    "Worker",
    "timestamp",
]
