"""Answers of the API, as they stand in JSON; the OpenAPI document is made from these same structs.

Arguments, results and errors are spliced in as the JSON texts that the store keeps: they are never
decoded here.
"""

from app.domain.submissions import BulkDone
from app.web.schemas.attempts import Attempt, AttemptList, LogLine, LogLines, Stack
from app.web.schemas.errors import ErrorGroup, ErrorGroupList, TaskError
from app.web.schemas.functions import Function, FunctionList, Statistics
from app.web.schemas.history import Annotation, AnnotationList, History, Mark
from app.web.schemas.incidents import Incident, IncidentList
from app.web.schemas.pools import Pool, PoolList, Worker
from app.web.schemas.problems import Problem
from app.web.schemas.server import Server
from app.web.schemas.tasks import Cancellation, Ids, Task, TaskList
from app.web.schemas.types import timestamp

__all__ = [
    "Annotation",
    "AnnotationList",
    "Attempt",
    "AttemptList",
    "BulkDone",
    "Cancellation",
    "ErrorGroup",
    "ErrorGroupList",
    "Function",
    "FunctionList",
    "History",
    "Ids",
    "Incident",
    "IncidentList",
    "LogLine",
    "LogLines",
    "Mark",
    "Pool",
    "PoolList",
    "Problem",
    "Server",
    "Stack",
    "Statistics",
    "Task",
    "TaskError",
    "TaskList",
    "Worker",
    "timestamp",
]
