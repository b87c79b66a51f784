"""Numbers, lengths and times that make no sense: refused or clamped, never an error of ours."""

import pytest

from tests.support.served import Served

HUGE = str(2**63)
LONG = "9" * 5000
TASK_PAGES = [
    "/tasks/{}?attempt=",
    "/tasks/{}?before=",
    "/tasks/{}/log?attempt=",
    "/tasks/{}/log?after=",
    "/tasks/{}/log?before=",
    "/tasks/{}/log?again=",
    "/api/v1/tasks/{}/logs?attempt=",
    "/api/v1/tasks/{}/logs?after=",
    "/api/v1/workers/cpu-1/logs?after=",
    "/workers/cpu-1/log?before=",
    "/api/v1/pools/cpu/advice?size=",
    "/api/v1/incidents?limit=",
    "/api/v1/history?period=",
    "/api/v1/tasks?limit=",
]


@pytest.fixture(scope="module")
def task(server: Served) -> str:
    ident: str = server.submit("add", 1).json()["id"]
    return ident


@pytest.mark.parametrize("number", [HUGE, "-" + HUGE, LONG, "1e400", "nan", "٣"])
@pytest.mark.parametrize("path", TASK_PAGES)
def test_numbers_are_what_can_be_kept(server: Served, task: str, path: str, number: str) -> None:
    status = server.http.get(path.format(task) + number).status_code
    assert status in {200, 404, 422}
    if number == HUGE and "advice" not in path:
        assert status == 422


@pytest.mark.parametrize("period", [LONG, HUGE, "-1", "³", "nan", ""])
@pytest.mark.parametrize("path", ["/", "/chart"])
def test_an_odd_period_is_the_usual_one(server: Served, path: str, period: str) -> None:
    assert server.http.get(path, params={"period": period}).status_code == 200


@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "0001-01-01",
        "9999-12-31",
        "1969-12-31T23:59:59Z",
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        "/timeline?from=",
        "/timeline?span=604800&from=",
        "/timeline.json?to=2026-01-01T00:00:00Z&from=",
        "/timeline.json?from=2026-01-01T00:00:00Z&to=",
        "/tasks?since=",
        "/tasks?until=",
        "/api/v1/tasks?since=",
        "/api/v1/tasks?until=",
        "/api/v1/annotations?since=",
        "/api/v1/annotations?until=",
        "/api/v1/errors?since=",
    ],
)
def test_times_at_either_end_are_times(server: Served, path: str, moment: str) -> None:
    status = server.http.get(path + moment.replace("+", "%2B")).status_code
    assert status in {200, 422}
