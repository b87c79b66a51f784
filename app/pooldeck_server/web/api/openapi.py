"""The OpenAPI document: FastAPI's, with the schemas of the structs that are really sent."""

from collections.abc import Iterator
from importlib import import_module
from inspect import cleandoc
from pkgutil import iter_modules
from types import ModuleType
from typing import Any, Final

import msgspec
from msgspec import Struct

from pooldeck.outcome import Error, Measurement
from pooldeck_server.domain.failures.error_groups import GroupSort
from pooldeck_server.domain.measurements.experiment_request import ExperimentRequest
from pooldeck_server.domain.retention import RetentionRules
from pooldeck_server.domain.tasks.edits import TaskEdit
from pooldeck_server.domain.tasks.filter import Sort
from pooldeck_server.domain.tasks.pipelines import PipelineRequest
from pooldeck_server.domain.tasks.submission import BulkDone, Submission
from pooldeck_server.domain.tokens import TokenRequest
from pooldeck_server.web.api import bodies, schemas, selections
from pooldeck_server.web.http.errors import Problem
from pooldeck_server.web.http.routes import Routes

_FROM_ELSEWHERE: Final = (
    BulkDone,
    Error,
    ExperimentRequest,
    GroupSort,
    Measurement,
    PipelineRequest,
    RetentionRules,
    Problem,
    Sort,
    Submission,
    TaskEdit,
    TokenRequest,
)
_TAGS: Final = {
    "tasks": "Submit, find, follow, cancel and retry tasks.",
    "functions": "What can be called, what became of it, and what is on hold.",
    "advice": "Thread or process: what measurements say.",
    "pipelines": "Tasks that hand their results on, submitted and followed together.",
    "pools": "Pools, their workers, what these do now, and what can be done to them.",
    "incidents": "Unexpected deaths of workers.",
    "errors": "Failures that are alike, counted and decided on together.",
    "experiments": "Functions tried in pools of several sizes: which kind is best, how large.",
    "alerts": "Who is told of what, and what became of the messages. For admins.",
    "history": "Series over time, and what was done and happened meanwhile.",
    "live": "The live picture.",
    "access": "Named tokens: who may come in, and what each may do.",
    "retention": "How long tasks are kept, and how much room they take.",
    "observing": "For machines that watch the server.",
}
_SECURITY: Final = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A named token, or that of the settings; none where the server is open.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "pooldeck",
        "description": "Set by the login page.",
    },
}


def install(routes: Routes) -> None:
    generate = routes.openapi

    def complete() -> dict[str, Any]:
        if routes.openapi_schema is None:
            routes.openapi_schema = _complete(generate())
        return routes.openapi_schema

    routes.openapi = complete  # type: ignore[method-assign]  # FastAPI's way to extend the document


def _complete(document: dict[str, Any]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components(
        [*_structs(), *_FROM_ELSEWHERE], ref_template="#/components/schemas/{name}"
    )
    for component in components.values():
        component["description"] = cleandoc(component["description"])  # each class has one
    parts = document.setdefault("components", {})
    parts["schemas"] = parts.get("schemas", {}) | components
    parts["securitySchemes"] = _SECURITY
    document["security"] = [{name: []} for name in _SECURITY] + [{}]  # any one; none without token
    document["tags"] = [{"name": name, "description": words} for name, words in _TAGS.items()]
    return document


def _structs() -> Iterator[type[Struct]]:
    answers = (f"{schemas.__name__}.{module.name}" for module in iter_modules(schemas.__path__))
    for module in (*map(import_module, answers), bodies, selections):
        yield from _defined_in(module)


def _defined_in(module: ModuleType) -> Iterator[type[Struct]]:
    for value in vars(module).values():
        is_struct = isinstance(value, type) and issubclass(value, Struct)
        if is_struct and value.__module__ == module.__name__:
            yield value
