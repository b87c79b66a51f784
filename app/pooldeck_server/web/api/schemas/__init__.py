"""Answers of the API, as they stand in JSON; the OpenAPI document is made from these same structs.

Arguments, results and errors are spliced in as the JSON texts that the store keeps: they are never
decoded here.
"""

from pooldeck_server.domain.tasks.submission import BulkDone
from pooldeck_server.web.api.schemas.advice import AdviceList, AdviceSummary, FunctionAdvice
from pooldeck_server.web.api.schemas.attempts import Attempt, AttemptList, LogLine, LogLines, Stack
from pooldeck_server.web.api.schemas.errors import ErrorGroup, ErrorGroupList, TaskError
from pooldeck_server.web.api.schemas.experiments import Experiment, ExperimentList
from pooldeck_server.web.api.schemas.functions import Function, FunctionList, Statistics
from pooldeck_server.web.api.schemas.history import Annotation, AnnotationList, History, Mark
from pooldeck_server.web.api.schemas.incidents import Incident, IncidentList
from pooldeck_server.web.api.schemas.pipelines import NewPipeline, Pipeline, PipelineList
from pooldeck_server.web.api.schemas.pools import Pool, PoolList, Worker
from pooldeck_server.web.api.schemas.server import ServerInfo
from pooldeck_server.web.api.schemas.shared import SharedState
from pooldeck_server.web.api.schemas.sizes import PoolAdvice
from pooldeck_server.web.api.schemas.tasks import Cancellation, Ids, Task, TaskList
from pooldeck_server.web.api.schemas.types import timestamp
from pooldeck_server.web.http.problems import Problem

__all__ = [
    "AdviceList",
    "AdviceSummary",
    "Annotation",
    "AnnotationList",
    "Attempt",
    "AttemptList",
    "BulkDone",
    "Cancellation",
    "ErrorGroup",
    "ErrorGroupList",
    "Experiment",
    "ExperimentList",
    "Function",
    "FunctionAdvice",
    "FunctionList",
    "History",
    "Ids",
    "Incident",
    "IncidentList",
    "LogLine",
    "LogLines",
    "Mark",
    "NewPipeline",
    "Pipeline",
    "PipelineList",
    "Pool",
    "PoolAdvice",
    "PoolList",
    "Problem",
    "ServerInfo",
    "SharedState",
    "Stack",
    "Statistics",
    "Task",
    "TaskError",
    "TaskList",
    "Worker",
    "timestamp",
]
