"""Calls that fit the OpenAPI document, and calls that nearly do, as Schemathesis makes them."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from itertools import cycle, islice
from typing import Any, Final, TypeAlias

import requests
import schemathesis
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.core.result import Ok
from schemathesis.core.transport import Response
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.fuzz.effort import Effort
from tests.fuzz.sending import PATIENCE
from tests.fuzz.target import BEARER, FUNCTION, Target

AnyCase: TypeAlias = Case[Any]
AnyOperation: TypeAlias = APIOperation[Any, Any, Any, Any]
_CHECKS: Final = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    allow_header_conformance,
    unsupported_method,
    missing_required_header,
    negative_data_rejection,
]
_OF_ROLES: Final = _CHECKS[:5]  # what may be refused, or not be there, says so as it is documented
_STREAMS: Final = {"/api/v1/events", "/api/v1/watches"}  # these never end
_DRAIN: Final = "/api/v1/server/drain"
_RESUME: Final = "/api/v1/server/resume"
_OPEN: Final = {"/healthz", "/readyz"}


class Trial:
    """Makes calls, and keeps what is wrong with the answers: one call for each complaint."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._session = requests.Session()
        self._session.trust_env = False
        self._named = cycle(target.bearers.items())
        self.wrong: dict[str, str] = {}

    def call(self, case: AnyCase) -> None:
        """Make a call without credentials, as the owner, and as one of the others in turn."""
        _make_real(case, self._target.known)
        self._target.note(case.as_curl_command())
        self._check_closed(case, self._send(case, {}))
        self._check(case, self._send(case, {"Authorization": BEARER}), _CHECKS)
        name, bearer = next(self._named)
        self._check(case, self._send(case, {"Authorization": bearer}), _OF_ROLES, name)
        if case.operation.path == _DRAIN:
            self._target.http.post(_RESUME)

    def _send(self, case: AnyCase, headers: dict[str, str]) -> Response:
        address = f"http://127.0.0.1:{self._target.port}"
        return case.call(address, self._session, headers=headers, timeout=PATIENCE)

    def _check_closed(self, case: AnyCase, answer: Response) -> None:
        self._check(case, answer, [not_a_server_error])
        if answer.status_code < HTTPStatus.BAD_REQUEST and case.operation.path not in _OPEN:
            self._note(case, f"{answer.status_code} without credentials")

    def _check(
        self, case: AnyCase, answer: Response, checks: list[Any], name: str = "the owner"
    ) -> None:
        try:
            case.validate_response(answer, checks=checks)
        except FailureGroup as failures:
            for failure in failures.exceptions:
                self._note(case, f"{answer.status_code} for {name}, {failure}")
        except Failure as failure:
            self._note(case, f"{answer.status_code} for {name}, {failure}")

    def _note(self, case: AnyCase, complaint: str) -> None:
        what = f"{case.operation.label}: {complaint}"
        self.wrong.setdefault(what, case.as_curl_command())


def trial(target: Target, effort: Effort) -> list[str]:
    """Make each call of the document; return what is wrong with the answers."""
    schema = schemathesis.openapi.from_dict(target.http.get("/openapi.json").json())
    calls = Trial(target)
    for operation in operations(schema):
        effort.spend(_cases(operation), calls.call)
        for case in _at_the_edges(schema, operation, effort.examples // 2):
            calls.call(case)
    return [f"{what}, for {call}" for what, call in calls.wrong.items()]


def operations(schema: BaseSchema) -> Iterator[AnyOperation]:
    """Yield what can be called."""
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        if found.ok().path not in _STREAMS:
            yield found.ok()


def _cases(operation: AnyOperation) -> SearchStrategy[AnyCase]:
    modes = [GenerationMode.POSITIVE]
    if list(operation.iter_parameters()) or operation.body:
        modes.append(GenerationMode.NEGATIVE)
    return st.one_of([operation.as_strategy(mode, feedback=NO_FEEDBACK) for mode in modes])


def _at_the_edges(schema: BaseSchema, operation: AnyOperation, most: int) -> Iterator[AnyCase]:
    """Yield calls that Schemathesis works out: the least and the most of everything, and beyond."""
    found = schema.iter_coverage_cases(
        operation,
        generation_modes=list(GenerationMode),
        generation_config=schema.config.generation,
    )
    return islice(found, most)


def _make_real(case: AnyCase, known: Mapping[str, list[str]]) -> None:
    """Name something that is there, where a made-up name would only be refused."""
    collection = case.operation.path.removeprefix("/api/v1/").partition("/")[0]
    for name in case.path_parameters:
        if name in {"name", "task_id"} and _fits(case) and collection in known:
            case.path_parameters[name] = known[collection][0]
    if isinstance(case.body, dict) and isinstance(case.body.get("function"), str):
        case.body["function"] = FUNCTION
    if isinstance(case.body, dict) and case.body.get("stop") is True:
        case.body["stop"] = False  # it would end the server
    if "wait" in case.query and _fits(case):
        case.query["wait"] = 0


def _fits(case: AnyCase) -> bool:
    return case.meta is None or case.meta.generation.mode is GenerationMode.POSITIVE
