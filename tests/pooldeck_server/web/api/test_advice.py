"""Advice over HTTP."""

from typing import Any

import jsonschema_rs

from tests.support.served import WEB_FUNCTIONS, Served

ADD = f"{WEB_FUNCTIONS}.add"


def advice(server: Served, function: str) -> dict[str, Any]:
    response = server.http.get(f"/api/v1/functions/{WEB_FUNCTIONS}.{function}/advice")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def test_the_advice_on_a_function_rests_on_its_runs(server: Served) -> None:
    for _ in range(3):
        assert server.submit("add", 1).json()["state"] == "succeeded"
    found = advice(server, "add")
    assert (found["verdict"], found["rule"]) == ("too_cheap", "handover_costs_more")
    assert found["recommended"]["kind"] == "thread"
    assert found["is_misplaced"] is False
    assert found["evidence"]["runs_ever"] >= 3
    assert found["profiles"][found["kind"]]["runs_ever"] >= 3
    assert "less than it takes to hand it" in found["sentences"][0]


def test_a_function_that_never_ran_has_no_verdict_yet(server: Served) -> None:
    found = advice(server, "roam")
    assert (found["verdict"], found["confidence"]) == ("unknown", "none")
    assert found["recommended"] is found["cost"] is None
    assert found["profiles"] == {}
    assert found["sentences"] == ["No run has been measured yet, so that nothing can be said."]


def test_a_function_shows_its_advice_in_short(server: Served) -> None:
    server.submit("add", 1)
    one = server.http.get(f"/api/v1/functions/{ADD}").json()
    listed = server.http.get("/api/v1/functions").json()["items"]
    (same,) = [function for function in listed if function["name"] == ADD]
    assert set(one["advice"]) == {"verdict", "recommended", "is_misplaced", "confidence"}
    assert same["advice"] == one["advice"]


def test_a_function_without_a_pool_gets_no_advice(server: Served) -> None:
    response = server.http.get(f"/api/v1/functions/{WEB_FUNCTIONS}.stray/advice")
    assert (response.status_code, response.json()["code"]) == (409, "conflict")
    assert server.http.get(f"/api/v1/functions/{WEB_FUNCTIONS}.stray").json()["advice"] is None


def test_a_function_that_does_not_exist_is_not_found(server: Served) -> None:
    response = server.http.get("/api/v1/functions/nobody.knows/advice")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_nothing_is_listed_as_misplaced_without_evidence(server: Served) -> None:
    listed = server.http.get("/api/v1/advice").json()["functions"]
    assert [each for each in listed if not each["is_misplaced"]] == []
    assert f"{WEB_FUNCTIONS}.roam" not in [each["function"] for each in listed]


def test_the_answer_is_as_the_document_says(server: Served) -> None:
    server.submit("add", 1)
    document = server.http.get("/openapi.json").json()
    schema = {"$ref": "#/components/schemas/FunctionAdvice", "components": document["components"]}
    jsonschema_rs.validator_for(schema).validate(advice(server, "add"))
