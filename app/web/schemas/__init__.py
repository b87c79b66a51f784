"""Answers of the API, as they stand in JSON; the OpenAPI document is made from these same structs.

Arguments, results and errors are spliced in as the JSON texts that the store keeps: they are never
decoded here.
"""

from app.domain.submissions import BulkDone
from app.web.schemas.advice import AdviceList, AdviceSummary, FunctionAdvice
from app.web.schemas.attempts import Attempt, AttemptList, LogLine, LogLines, Stack
from app.web.schemas.errors import ErrorGroup, ErrorGroupList, TaskError
from app.web.schemas.experiments import Experiment, ExperimentList
from app.web.schemas.functions import Function, FunctionList, Statistics
from app.web.schemas.history import Annotation, AnnotationList, History, Mark
from app.web.schemas.incidents import Incident, IncidentList
from app.web.schemas.pipelines import NewPipeline, Pipeline, PipelineList
from app.web.schemas.pools import Pool, PoolList, Worker
from app.web.schemas.problems import Problem
from app.web.schemas.server import Server
from app.web.schemas.shared import SharedState
from app.web.schemas.sizes import PoolAdvice
from app.web.schemas.tasks import Cancellation, Ids, Task, TaskList
from app.web.schemas.types import timestamp

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
    "Server",
    "SharedState",
    "Stack",
    "Statistics",
    "Task",
    "TaskError",
    "TaskList",
    "Worker",
    "timestamp",
]
