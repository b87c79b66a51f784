"""The OpenAPI document: complete, and true."""

import re
from typing import Any

import jsonschema_rs
import pytest
from fastapi.routing import iter_route_contexts

from tests.support.served import Served

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def document(server: Served) -> dict[str, Any]:
    found: dict[str, Any] = server.http.get("/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method, path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def references(part: Any) -> set[str]:
    """Return the names of all schemas that are referred to anywhere in `part`."""
    return set(re.findall(r"#/components/schemas/(\w+)", str(part)))


def test_every_call_of_the_api_that_is_built_is_in_the_document(
    server: Served, document: dict[str, Any]
) -> None:
    built = {
        (method.lower(), route.path)
        for route in iter_route_contexts(server.app.load().routes)
        for method in route.methods or ()
        if (route.path or "").startswith("/api/") and route.include_in_schema
    }
    assert built == {each for each in operations(document) if each[1].startswith("/api/")}
    assert ("post", "/api/v1/tasks") in built
    assert ("patch", "/api/v1/pools/{name}") in built


def test_every_reference_leads_to_a_schema(document: dict[str, Any]) -> None:
    assert references(document) == references(document) & set(document["components"]["schemas"])
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_operation_has_words_and_errors(document: dict[str, Any]) -> None:
    for place, operation in operations(document).items():
        assert operation["tags"], place
        assert operation["description"], place
        if place[1].startswith("/api/"):
            problems = [code for code in operation["responses"] if code >= "400"]
            assert "401" in problems, place
            for code in problems:
                assert "application/problem+json" in operation["responses"][code]["content"]


def test_the_ways_to_log_in_are_described(document: dict[str, Any]) -> None:
    assert set(document["components"]["securitySchemes"]) == {"token", "cookie"}


@pytest.mark.parametrize(
    ("method", "path", "schema"),
    [
        ("get", "/api/v1/tasks", "TaskList"),
        ("get", "/api/v1/pools", "PoolList"),
        ("get", "/api/v1/functions", "FunctionList"),
        ("get", "/api/v1/functions/web_functions.add", "Function"),
        ("get", "/api/v1/incidents", "IncidentList"),
        ("get", "/api/v1/history?by=state&period=900", "History"),
        ("get", "/api/v1/annotations", "AnnotationList"),
        ("get", "/api/v1/server", "ServerInfo"),
        ("get", "/api/v1/pools/io/advice", "PoolAdvice"),
        ("post", "/api/v1/pools/io/restart", "Pool"),
        ("get", "/api/v1/tasks/none", "Problem"),
        ("post", "/api/v1/tasks", "Problem"),
    ],
)
def test_answers_are_what_the_document_says(
    server: Served, document: dict[str, Any], method: str, path: str, schema: str
) -> None:
    server.submit("fail", "for the list")
    answer = server.http.request(method, path).json()
    validator = jsonschema_rs.validator_for(
        {"$ref": f"#/components/schemas/{schema}", "components": document["components"]}
    )
    validator.validate(answer)


def test_the_examples_of_bodies_fit_their_schemas(document: dict[str, Any]) -> None:
    bodies = [
        operation["requestBody"]["content"]["application/json"]
        for place, operation in operations(document).items()
        if "requestBody" in operation and place[1].startswith("/api/")
    ]
    assert len(bodies) > 5
    for body in bodies:
        validator = jsonschema_rs.validator_for(
            body["schema"] | {"components": document["components"]}
        )
        validator.validate(body["example"])


def test_of_what_takes_few_values_the_document_names_all(document: dict[str, Any]) -> None:
    parameters = operations(document)["get", "/api/v1/history"]["parameters"]
    [period] = [each["schema"] for each in parameters if each["name"] == "period"]

    assert period["enum"] == [900, 3600, 21600, 86400, 604800]


@pytest.mark.parametrize("value", ["0.5", "5", "-1", "1e3", "nan", "2026-01-01"])
def test_a_time_of_a_query_is_what_the_document_says_and_no_number(
    server: Served, document: dict[str, Any], value: str
) -> None:
    timed = [
        (path, parameter["name"])
        for (method, path), operation in operations(document).items()
        for parameter in operation.get("parameters", [])
        if method == "get" and "date-time" in str(parameter["schema"])
    ]
    assert len(timed) >= 5
    for path, name in timed:
        answer = server.http.get(path, params={name: value})
        assert (answer.status_code, answer.json()["parameter"]) == (422, name), path
        assert server.http.get(path, params={name: "2026-01-01T00:00:00Z"}).is_success
