"""What those who see only a part are never told, by whatever way they ask."""

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest

from pooldeck.kinds import PoolKind
from pooldeck_server.domain.access import Principal, Role
from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.domain.pools.health import DeadWorker, PoolHealth, SlotHealth, WorkerHealth
from pooldeck_server.web.http.rules import RULES
from pooldeck_server.web.http.sight import Sight
from tests.pooldeck_server.web.conftest import TOKEN
from tests.support.no_tls import NO_TLS
from tests.support.served import Served, served
from tests.support.waiting import eventually
from tests.support.watched import add, watching

WORDS = "xylophone"  # stands in arguments, results, messages, logs, and progress
OWN = {"functions": ["web_functions.add"]}


class Told:
    """A server with tasks that hold what is not for everybody, and clients of several tokens."""

    def __init__(self, server: Served) -> None:
        self.server = server
        self.owner = self._client(TOKEN)
        self.viewer = self._client(self._token("viewer", "viewer"))
        self.reader = self._client(self._token("reader", "viewer", values=True))
        self.limited = self._client(self._token("limited", "operator", **OWN))
        self.in_io = self._client(self._token("in-io", "operator", pools=["io"]))
        self.own = self._run("add", 1, 2)
        self.secret = [self._run("echo", WORDS), self._run("fail", WORDS), self._run("say", WORDS)]
        self.group = self.owner.get(f"/api/v1/tasks/{self.secret[1]}").json()["error"]["group"]

    def _client(self, token: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {token}"}
        address = f"http://127.0.0.1:{self.server.port}"
        return httpx.Client(base_url=address, headers=headers, timeout=60, verify=NO_TLS)

    def _token(self, name: str, role: str, **more: Any) -> str:
        body = {"name": name, "role": role} | more
        answer = self.owner.post("/api/v1/tokens", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["secret"])

    def _run(self, function: str, *args: Any) -> str:
        body = {"function": f"web_functions.{function}", "args": args}
        answer = self.owner.post("/api/v1/tasks", params={"wait": 60}, json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def addresses(self) -> Iterator[str]:
        """Yield what can be read, with a task, a group or a pool that there is in its place."""
        names = {"{task_id}": self.secret, "{group_id}": [self.group], "{worker}": ["io-1"]}
        for template, methods in RULES.items():
            if "GET" not in methods or template.endswith("/events"):
                continue
            parameter = template[template.find("{") : template.find("}") + 1]
            of_errors = "errors/" in template
            named = (
                [self.group] if of_errors else names.get(parameter, ["cpu", "web_functions.fail"])
            )
            for name in named if parameter else [""]:
                address = template.replace(parameter, name) if parameter else template
                yield address.replace("{name}", "args")

    def event(self, client: httpx.Client) -> str:
        """Return the first event of the live stream."""
        with client.stream("GET", "/api/v1/events") as answer:
            assert answer.status_code == 200
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    return line
        raise AssertionError("no event came")

    def close(self) -> None:
        for client in (self.owner, self.viewer, self.reader, self.limited, self.in_io):
            client.close()


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with (
        served(tmp_path_factory.mktemp("told"), token=TOKEN) as server,
        closing(Told(server)) as told,
    ):
        yield told


def test_the_words_are_there_for_those_who_may_read_them(told: Told) -> None:
    pages = [told.owner.get(address).text for address in told.addresses()]
    assert sum(WORDS in page for page in pages) > 10
    assert WORDS in told.reader.get(f"/api/v1/tasks/{told.secret[0]}").text


def test_a_viewer_without_values_meets_none_wherever_it_looks(told: Told) -> None:
    answers = {address: told.viewer.get(address) for address in told.addresses()}
    assert [each for each, answer in answers.items() if WORDS in answer.text] == []
    shown = [each for each, answer in answers.items() if answer.status_code == 200]
    assert {"/", "/tasks", "/pools", "/timeline", "/metrics", "/api/v1/tasks"} <= set(shown)
    assert f"/tasks/{told.secret[1]}" in shown
    assert all(answer.status_code < 500 for answer in answers.values())
    assert WORDS not in told.event(told.viewer)


def test_what_stays_of_a_hidden_task_is_its_course(told: Told) -> None:
    task = told.viewer.get(f"/api/v1/tasks/{told.secret[1]}").json()
    assert (task["state"], task["function"]) == ("failed", "web_functions.fail")
    assert (task["args"], task["kwargs"], task["result"]) == (None, None, None)
    assert task["error"] == {"kind": "exception", "type": "ValueError", "message": "hidden"}
    attempts = told.viewer.get(f"/api/v1/tasks/{told.secret[1]}/attempts").json()["items"]
    assert {each["error"]["message"] for each in attempts} == {"hidden"}


@pytest.mark.parametrize("query", [f"q={WORDS}", "group={group}", f"q=state:failed+{WORDS}"])
@pytest.mark.parametrize("path", ["/api/v1/tasks", "/tasks"])
def test_nothing_is_found_by_what_is_not_shown(told: Told, path: str, query: str) -> None:
    address = f"{path}?{query.format(group=told.group)}"
    answer = told.viewer.get(address, follow_redirects=True)
    assert answer.status_code == 403
    assert told.secret[0] not in answer.text


def test_a_limited_token_meets_nothing_of_others(told: Told) -> None:
    hidden = (*told.secret, "web_functions.echo", "web_functions.fail", WORDS)
    for address in told.addresses():
        answer = told.limited.get(address)
        asked = [each for each in hidden if each in address]
        met = [each for each in hidden if each in answer.text and each not in asked]
        assert met == [], address
        assert answer.status_code in ({403, 404} if asked else {200, 303, 403, 404, 422}), address


def test_a_limited_token_sees_and_does_its_own(told: Told) -> None:
    listed = told.limited.get("/api/v1/tasks").json()["items"]
    assert {each["function"] for each in listed} == {"web_functions.add"}
    assert told.own in told.limited.get("/tasks").text
    assert told.limited.get(f"/tasks/{told.own}").status_code == 200
    names = [each["name"] for each in told.limited.get("/api/v1/functions").json()["items"]]
    assert names == ["web_functions.add"]
    assert told.limited.post(f"/api/v1/tasks/{told.own}/retry").status_code == 200
    body = {"function": "web_functions.add", "args": [1, 2]}
    assert told.limited.post("/api/v1/tasks", json=body).status_code == 202


def test_a_limited_token_changes_nothing_of_others(told: Told) -> None:
    other = told.secret[0]
    for call in ("cancel", "retry"):
        assert told.limited.post(f"/api/v1/tasks/{other}/{call}").status_code == 404
        assert told.limited.post(f"/tasks/{other}/{call}").status_code == 404
        assert told.limited.post(f"/api/v1/tasks/{call}", json={"ids": [other]}).json() == {
            "matched": 0,
            "outcomes": {},
        }
    chosen = {"filter": {"function": ["web_functions.echo"]}}
    assert told.limited.post("/api/v1/tasks/retry", json=chosen).json()["matched"] == 0
    before = told.owner.get(f"/api/v1/tasks/{other}").json()["attempt"]
    told.limited.post("/api/v1/tasks/retry", json={"all": True})
    assert told.owner.get(f"/api/v1/tasks/{other}").json()["attempt"] == before


def test_a_limited_token_edits_its_own_and_moves_it_only_to_its_own_pools(told: Told) -> None:
    def edit(client: httpx.Client, task_id: str, **body: Any) -> int:
        return client.patch(f"/api/v1/tasks/{task_id}", json=body).status_code

    def put_off(function: str) -> str:
        body = {"function": function, "args": [1], "delay": 3600, "pool": "io"}
        task_id: str = told.owner.post("/api/v1/tasks", json=body).json()["id"]
        return task_id

    own, other = put_off("web_functions.add"), put_off("web_functions.echo")
    assert edit(told.limited, own, priority=3) == 200
    assert edit(told.limited, other, priority=3) == 404
    assert told.limited.get(f"/tasks/{other}/edit").status_code == 404
    assert told.limited.post(f"/tasks/{other}/run-now").status_code == 404
    assert edit(told.in_io, other, pool="cpu") == 403
    assert edit(told.in_io, other, pool="io", priority=1) == 200
    assert edit(told.viewer, other, priority=3) == 403
    assert told.viewer.get(f"/tasks/{other}/edit").status_code == 403
    assert told.owner.get(f"/api/v1/tasks/{other}").json()["priority"] == 1


def test_a_limited_token_submits_only_its_own(told: Told) -> None:
    def submit(client: httpx.Client, **body: Any) -> int:
        one = client.post("/api/v1/tasks", json=body).status_code
        many = client.post("/api/v1/tasks/batch", json={"tasks": [body]}).status_code
        assert one == many
        return one

    add, echo = "web_functions.add", "web_functions.echo"
    assert submit(told.limited, function=echo, args=[1]) == 403
    assert submit(told.limited, function=add, args=[1]) == 202
    assert submit(told.limited, function=add, args=[{"$result": told.secret[0]}]) == 422
    assert submit(told.limited, function=add, args=[1], after=[told.secret[0]]) == 422
    assert submit(told.limited, function=add, args=[1], after=[told.own]) == 202
    assert submit(told.in_io, function=add, args=[1]) == 403  # its usual pool is another
    assert submit(told.in_io, function=add, args=[1], pool="cpu") == 403
    assert submit(told.in_io, function=add, args=[1], pool="io") == 202


def test_a_key_gives_no_task_of_others(told: Told) -> None:
    body: dict[str, Any] = {"function": "web_functions.echo", "args": [WORDS]}
    key = {"Idempotency-Key": "one"}
    assert told.owner.post("/api/v1/tasks", json=body, headers=key).status_code == 202
    answer = told.limited.post("/api/v1/tasks", json=body, headers=key)
    assert answer.status_code == 403
    assert WORDS not in answer.text
    key = {"Idempotency-Key": "two"}
    body = {"function": "web_functions.add", "args": [1]}
    placed = told.owner.post("/api/v1/tasks", json=body | {"pool": "solo"}, headers=key).json()
    assert told.in_io.post("/api/v1/tasks", json=body, headers=key).status_code == 403
    echo = told.in_io.post("/api/v1/tasks", json=body | {"pool": "solo"}, headers=key)
    assert placed["id"] not in echo.text


def test_pages_have_no_buttons_for_what_a_reader_may_not_do(told: Told) -> None:
    def buttons(client: httpx.Client, path: str) -> int:
        text = client.get(path).text
        return text.count('method="post" action="/') + text.count("formaction=")

    for path, own in (("/pools", 0), ("/tasks", 1), (f"/tasks/{told.own}", 0)):
        assert buttons(told.viewer, path) == 1 + own, path  # the language, the columns of a list
        assert buttons(told.owner, path) > 2, path
    assert 'href="/errors"' not in told.viewer.get("/pools").text
    assert 'href="/tokens"' not in told.reader.get("/pools").text
    assert 'href="/errors"' in told.reader.get("/pools").text


def test_who_sees_a_part_gets_no_numbers_of_the_whole(told: Told) -> None:
    page = told.limited.get("/tasks").text
    assert "data-stream" not in page
    assert 'data-field="counts' not in page
    assert told.limited.get("/api/v1/events").status_code == 403
    assert told.limited.get("/").headers["location"] == "/tasks"


def test_a_stream_ends_with_the_token_that_opened_it(told: Told) -> None:
    made = told.owner.post("/api/v1/tokens", json={"name": "brief", "role": "viewer"}).json()
    connection = HTTPConnection("127.0.0.1", told.server.port, timeout=30)
    with closing(connection):
        headers = {"Authorization": f"Bearer {made['secret']}"}
        connection.request("GET", "/api/v1/events", headers=headers)
        stream = connection.getresponse()
        assert stream.status == 200
        assert told.owner.delete("/api/v1/tokens/brief").status_code == 200
        stream.read()  # to its end
    assert told.server.http.get("/api/v1/pools", headers=headers).status_code == 401


def test_a_watch_tells_who_sees_no_values_only_how_tasks_ended(told: Told) -> None:
    with watching(told.viewer, told.secret) as watch:
        watch.wait_for(told.secret)
    assert WORDS not in json.dumps(watch.lines)
    assert [watch.ends[each]["state"] for each in told.secret] == [
        "succeeded",
        "failed",
        "succeeded",
    ]
    hidden = told.viewer.get(f"/api/v1/tasks/{told.secret[1]}").json()["error"]
    assert watch.ends[told.secret[1]]["error"] == hidden
    with watching(told.reader, told.secret) as watch:
        watch.wait_for(told.secret)
    assert watch.ends[told.secret[0]]["result"] == WORDS


def test_a_watch_tells_a_limited_token_nothing_of_others(told: Told) -> None:
    ids = [told.own, *told.secret]
    with watching(told.limited, ids, starts=True) as watch:
        watch.wait_for([told.own])
        eventually(lambda: set(watch.unknown) == set(told.secret))
        other = _dozing(told)
        assert add(told.limited, watch.id, [other]).status_code == 200
        eventually(lambda: other in watch.unknown)
    assert watch.ends.keys() == {told.own}
    assert watch.starts == []


def _dozing(told: Told) -> str:
    body = {"function": "web_functions.doze", "args": [0.5]}
    return str(told.owner.post("/api/v1/tasks", json=body).json()["id"])


def test_a_watch_is_for_nobody_but_who_has_opened_it(told: Told) -> None:
    body = {"tasks": [{"function": "web_functions.add", "args": [1]}]}
    with watching(told.owner) as watch:
        assert add(told.limited, watch.id, [told.own]).status_code == 404
        headers = {"Pooldeck-Watch": watch.id}
        answer = told.limited.post("/api/v1/tasks/batch", json=body, headers=headers)
        assert answer.status_code == 202
        assert "pooldeck-watch" not in answer.headers
        assert add(told.owner, watch.id, []).json() == {"watching": 0}


def test_a_watch_ends_with_the_token_that_opened_it(told: Told) -> None:
    made = told.owner.post("/api/v1/tokens", json={"name": "brief", "role": "viewer"}).json()
    headers = {"Authorization": f"Bearer {made['secret']}"}
    with (
        httpx.Client(
            base_url=told.owner.base_url, headers=headers, timeout=60, verify=NO_TLS
        ) as brief,
        watching(brief) as watch,
    ):
        assert told.owner.delete("/api/v1/tokens/brief").status_code == 200
        watch.wait_until_closed()
        assert add(told.owner, watch.id, []).status_code == 404
        assert brief.post("/api/v1/watches", json={"ids": []}).status_code == 401


def test_a_login_has_the_role_of_its_token_and_ends_with_it(told: Told) -> None:
    made = told.owner.post("/api/v1/tokens", json={"name": "brief", "role": "viewer"}).json()
    with httpx.Client(base_url=str(told.owner.base_url), timeout=30, verify=NO_TLS) as browser:
        assert browser.post("/login", data={"token": made["secret"]}).status_code == 303
        page = browser.get("/pools")
        assert "brief, viewer" in page.text
        assert browser.post("/pools/cpu/pause").status_code == 403
        told.owner.delete("/api/v1/tokens/brief")
        assert browser.get("/pools").status_code == 303


def test_the_last_use_of_a_token_is_told(told: Told) -> None:
    told.viewer.get("/api/v1/pools")
    found = {each["name"]: each for each in told.owner.get("/api/v1/tokens").json()["items"]}
    assert found["viewer"]["used_at"] is not None
    assert json.dumps(found).count("pdk_") == 0


def test_the_tasks_of_others_stay_unknown_while_they_run(told: Told) -> None:
    body = {"function": "web_functions.block"}
    task = told.owner.post("/api/v1/tasks", json=body).json()["id"]
    eventually(
        lambda: told.owner.get(f"/api/v1/tasks/{task}").json()["state"] == "running", "it runs"
    )
    for call in ("", "/logs", "/stack", "/attempts"):
        assert told.limited.get(f"/api/v1/tasks/{task}{call}").status_code == 404
    assert told.viewer.get(f"/api/v1/tasks/{task}/stack").status_code == 403
    told.owner.post(f"/api/v1/tasks/{task}/cancel", json={"kill": True})


def test_a_deleted_task_of_others_is_as_if_there_had_been_none(told: Told) -> None:
    gone = told._run("say", WORDS)
    assert told.owner.delete(f"/api/v1/tasks/{gone}").status_code == 200
    assert "was deleted" in told.owner.get(f"/api/v1/tasks/{gone}").text
    for method, path in (
        ("GET", ""),
        ("GET", "/attempts"),
        ("POST", "/cancel"),
        ("POST", "/retry"),
    ):
        answer = told.limited.request(method, f"/api/v1/tasks/{gone}{path}")
        assert (answer.status_code, answer.json()["detail"]) == (404, f"there is no task {gone}")
    page = told.limited.get(f"/tasks/{gone}")
    assert page.status_code == 404
    assert "was deleted" not in page.text


def test_names_of_others_are_not_suggested(told: Told) -> None:
    body = {"function": "web_functions.adddd", "args": [1]}
    wide = told._client(told._token("wide", "operator", functions=["*.add*"]))
    assert "web_functions" in told.owner.post("/api/v1/tasks", json=body).json()["detail"]
    with wide:
        detail = wide.post("/api/v1/tasks", json=body).json()["detail"]
    assert detail == 'no function called "web_functions.adddd" is registered'


def test_a_token_that_is_limited_to_pools_sees_these_and_no_other(told: Told) -> None:
    listed = told.in_io.get("/api/v1/pools").json()["items"]
    assert [each["name"] for each in listed] == ["io"]
    assert told.in_io.get("/api/v1/pools/io").json()["size"] == 2
    for name in ("cpu", "nothing"):
        refused = told.in_io.get(f"/api/v1/pools/{name}")
        assert (refused.status_code, "solo" in refused.text) == (404, False)
    assert told.limited.get("/api/v1/pools").json()["items"] == []
    assert told.limited.get("/api/v1/pools/io").status_code == 404
    assert told.in_io.patch("/api/v1/pools/io", json={"size": 3}).status_code == 403


def test_what_runs_in_ones_pool_has_no_name_where_it_is_anothers() -> None:
    slots = (SlotHealth("t1", "jobs.mine", 1.0), SlotHealth("t2", "jobs.other", 2.0))
    worker = WorkerHealth("io-1", 7, "busy", None, 0, slots)
    dead = tuple(DeadWorker("io-0", "i", "exited", name) for name in ("jobs.other", "jobs.mine"))
    notices = (
        Notice(Need.HOLD, "io", function="jobs.other", reason="it died"),
        Notice(Need.STARVATION, "io", 12.0, 2),
        Notice(Need.BROKEN, "io", reason="jobs.other cannot be imported"),
    )
    pool = PoolHealth(
        *("io", PoolKind.THREAD, 2, "running", "jobs.other cannot be imported", 2, 0, None, 0),
        (worker,),
        dead=dead,
        notices=notices,
    )
    mine = Principal(name="m", role=Role.VIEWER, functions=("jobs.mine",), pools=("io",))
    (shown,) = Sight(mine).pools([pool])
    assert "other" not in str(shown)
    assert shown.workers[0].slots[0] == slots[0]
    assert shown.workers[0].slots[1].elapsed == 2.0
    assert [each.need for each in shown.notices] == [Need.STARVATION]
