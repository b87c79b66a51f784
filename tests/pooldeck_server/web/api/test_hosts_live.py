"""Real hosts as the API, the pages and Prometheus tell of them, while things befall them."""

from collections.abc import Iterator

import pytest

from tests.support.served_hosts import POOL, ServedHosts, served_hosts
from tests.support.waiting import eventually


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHosts]:
    """A server, and a host a."""
    with served_hosts(tmp_path_factory.mktemp("hosts"), "a") as found:
        yield found


def page(there: ServedHosts, path: str) -> str:
    answer = there.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_what_runs_on_a_host_names_it_everywhere(there: ServedHosts) -> None:
    there.is_in("a", "attached")
    task = there.block()
    assert task["worker"]["host"] == "a"
    host = there.host("a")
    assert [each["task"] for each in host["tasks"]] == [task["id"]]
    (worker,) = there.pool()["workers"]
    assert (worker["host"], worker["state"]) == ("a", "busy")
    eventually(lambda: there.pool()["workers"][0]["rss_bytes"], "its memory is told")
    assert f'<a id="host" href="/pools#hosts-{POOL}">a</a>' in page(there, f"/tasks/{task['id']}")
    assert f'pooldeck_host_busy{{host="a",pool="{POOL}"}} 1.0' in page(there, "/metrics")
    assert there.http.post(f"/api/v1/tasks/{task['id']}/cancel", json={"kill": True}).is_success
    eventually(lambda: not there.host("a")["tasks"], "it is killed")


def test_a_host_that_is_refused_stands_on_the_page_of_its_pool_with_the_reason(
    there: ServedHosts,
) -> None:
    there.start("stranger", POOLDECK_TOKEN="made-up-and-wrong")
    there.is_in("stranger", "refused")

    words = there.host("stranger")["words"]
    assert "token" in words
    assert "its token is none of this server" in page(there, "/pools").replace("&#39;", "'")
    assert "stranger is a host that was refused" in there.pool()["notice"]


def test_while_a_host_is_not_heard_of_nothing_is_said_to_run_there_and_then_it_goes_on(
    there: ServedHosts,
) -> None:
    there.is_in("a", "attached")
    task = there.block()
    there.stop("a")
    try:
        there.is_in("a", "no_contact")
        assert there.pool()["workers"][0]["state"] == "no_contact"
        assert f"lost_contact: a of {POOL} is not heard of: 1 task" in there.pool()["notice"]
        said = page(there, f"/tasks/{task['id']}")
        assert "No contact since" in said
        assert "unless the host comes back" in said
    finally:
        there.go_on("a")
    there.is_in("a", "attached")
    assert there.http.get(f"/api/v1/tasks/{task['id']}").json()["state"] == "running"
    assert "No contact since" not in page(there, f"/tasks/{task['id']}")
    assert there.http.post(f"/api/v1/tasks/{task['id']}/cancel", json={"kill": True}).is_success


def test_what_is_killed_on_a_host_that_is_not_heard_of_runs_on_until_the_host_is_back(
    there: ServedHosts,
) -> None:
    there.is_in("a", "attached")
    task = there.block()
    path = f"/tasks/{task['id']}"
    there.stop("a")
    try:
        there.is_in("a", "no_contact")
        assert "Its host has no contact" in page(there, f"{path}/kill")
        assert "its host has no contact" in page(there, f"{path}/stack")
        assert "its host has no contact" in there.http.get(f"/api/v1{path}/stack").json()["detail"]
        killed = there.http.post(f"/api/v1{path}/cancel", json={"kill": True}).json()
        assert (killed["outcome"], killed["task"]["state"]) == ("unreached", "running")
        assert "reaches it when its host has contact again" in page(there, path)
    finally:
        there.go_on("a")
    there.is_in("a", "attached")
    ended = there.http.get(f"/api/v1{path}", params={"wait": 30}).json()
    assert ended["state"] == "cancelled"


def test_who_ended_a_host_and_why_is_kept_and_its_pool_says_that_it_has_none(
    there: ServedHosts,
) -> None:
    there.is_in("a", "attached")
    task = there.block()

    there.http.post(f"/pools/{POOL}/hosts/a/end", data={"reason": "it burns"})

    there.is_in("a", "gone")
    assert there.host("a")["gone_by"] == "own_word"
    ended = there.http.get(f"/api/v1/tasks/{task['id']}", params={"wait": 30}).json()
    assert ended["state"] == "lost"
    assert ended["error"]["kind"] == "host_lost"
    assert "it was ended by hand: it burns" in ended["error"]["message"]
    assert "no_host" in there.pool()["notice"]
    assert "no_new_workers" not in there.pool()["notice"]
    (queue,) = [each for name, each in there.server.app.server.queues.items() if name == POOL]
    assert queue.running.cut_off == []  # by the end of the server, which goes on
    (deed,) = there.http.get("/api/v1/actions", params={"deed": "end_host"}).json()["items"]
    assert (deed["target_kind"], deed["target"]) == ("host", f"{POOL}/a")
    assert deed["reason"] == "it burns"
    eventually(lambda: "the host a has ended" in page(there, "/pools"), "the history says so")
    assert "the host a was ended by hand" in page(there, "/pools")
    again = there.http.post(f"/api/v1/pools/{POOL}/hosts/a/drain")
    assert again.status_code == 404


def test_a_drained_host_ends_when_nothing_runs_there(there: ServedHosts) -> None:
    there.start("b")
    there.is_in("b", "attached")

    answer = there.http.post(f"/api/v1/pools/{POOL}/hosts/b/drain", json={"reason": "new disk"})

    assert answer.status_code == 200
    there.is_in("b", "gone")
    (deed,) = there.http.get("/api/v1/actions", params={"deed": "drain_host"}).json()["items"]
    assert (deed["target"], deed["reason"]) == (f"{POOL}/b", "new disk")
