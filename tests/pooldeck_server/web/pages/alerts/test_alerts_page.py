"""Alerts on their page and by the API: set, tested, rotated, and no secret shown twice."""

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Any

import httpx
import pytest

from pooldeck_server.settings import AlertSettings
from tests.support.receiver import Receiver, receiving
from tests.support.served import Served, served
from tests.support.waiting import eventually

ALERTS = "/api/v1/alerts"
DESTINATIONS = f"{ALERTS}/destinations"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    listed = AlertSettings(allowed_networks=(ip_network("127.0.0.0/8"),))
    with served(tmp_path_factory.mktemp("alerts"), alerts=listed) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


def destinations(server: Served) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.http.get(DESTINATIONS).json()["items"]
    return found


def add(server: Served, receiver: Receiver, name: str) -> tuple[int, str]:
    """Add a destination on the page; return its number and the secret that the page shows."""
    form = {"name": name, "kind": "webhook", "url": receiver.url}
    page = server.http.post("/alerts/destinations", data=form)
    assert page.status_code == 200, page.text
    assert page.headers["cache-control"] == "no-store"
    found = re.search(r'id="new-secret">(whsec_[^<]+)<', page.text)
    assert found is not None
    number = next(each["id"] for each in destinations(server) if each["name"] == name)
    return number, found[1]


def posted(server: Served, path: str, **form: str) -> httpx.Response:
    return server.http.post(path, data=form, follow_redirects=True)


def test_a_destination_is_added_tested_rotated_turned_off_and_deleted(
    server: Served, receiver: Receiver
) -> None:
    number, secret = add(server, receiver, "ops")
    assert "A test is on its way" in posted(server, f"/alerts/destinations/{number}/test").text
    eventually(lambda: bool(receiver.got), "the test arrives")
    assert receiver.got[0].is_signed_by(secret)
    rotated = posted(server, f"/alerts/destinations/{number}/rotate").text
    found = re.search(r'id="new-secret">(whsec_[^<]+)<', rotated)
    assert found is not None
    assert found[1] != secret
    hidden = (secret, found[1], "of-the-receiver", "/hook")
    for path in ("/alerts", ALERTS, DESTINATIONS, f"{ALERTS}/deliveries", "/metrics"):
        text = server.http.get(path).text
        assert not [each for each in hidden if each in text], path
    assert "is off" in posted(server, f"/alerts/destinations/{number}/disable").text
    assert server.http.post(f"{DESTINATIONS}/{number}/test").status_code == 409
    assert "is on" in posted(server, f"/alerts/destinations/{number}/enable").text
    assert "is deleted" in posted(server, f"/alerts/destinations/{number}/delete").text
    assert destinations(server) == []


def test_what_became_of_a_message_is_listed_and_it_can_be_sent_again(
    server: Served, receiver: Receiver
) -> None:
    number, _ = add(server, receiver, "again")
    receiver.status, receiver.body = 500, b"<b>no</b>"
    delivery = server.http.post(f"{DESTINATIONS}/{number}/test").json()["delivery"]

    def listed() -> dict[str, Any]:
        items: list[dict[str, Any]] = server.http.get(f"{ALERTS}/deliveries").json()["items"]
        return next(each for each in items if each["id"] == delivery)

    eventually(lambda: listed()["tries"] == 1, "it was tried")
    assert (listed()["state"], listed()["status"]) == ("waiting", 500)
    page = server.http.get("/alerts").text
    assert "500: &lt;b&gt;no&lt;/b&gt;" in page
    assert "Retry now" in page
    receiver.status = 204
    assert "tried again" in posted(server, f"/alerts/deliveries/{delivery}/retry").text
    eventually(lambda: listed()["state"] == "delivered", "it is delivered")
    assert "Send again" in server.http.get("/alerts").text
    server.http.post(f"{DESTINATIONS}/{number}/disable")
    refused = server.http.post(f"{ALERTS}/deliveries/{delivery}/retry")
    assert (refused.status_code, "is off" in refused.json()["detail"]) == (409, True)
    assert posted(server, f"/alerts/deliveries/{delivery}/retry").status_code == 409
    assert f"retry-{delivery}" not in server.http.get("/alerts").text
    assert listed()["state"] == "delivered"
    server.http.delete(f"{DESTINATIONS}/{number}")


def test_a_failure_arrives_as_an_alert_without_what_it_said(
    server: Served, receiver: Receiver
) -> None:
    number, _ = add(server, receiver, "errors")
    assert server.submit("fail", "an argument that stays inside").status_code == 200
    eventually(lambda: bool(receiver.got), "the alert arrives")
    (got,) = receiver.got
    assert got.data["rule"] == "new_error"
    assert b"stays inside" not in got.body
    assert got.data["alerts"][0]["url"].startswith("/errors/")
    assert "ValueError in" in server.http.get("/alerts").text
    server.http.delete(f"{DESTINATIONS}/{number}")


def test_a_rule_is_set_on_the_page_and_by_the_api(server: Served) -> None:
    def rule() -> dict[str, Any]:
        rules = server.http.get(ALERTS).json()["rules"]
        return next(each for each in rules if each["rule"] == "oldest_wait")

    assert (rule()["is_on"], rule()["threshold"], rule()["unit"]) == (True, 600, "seconds")
    page = posted(server, "/alerts/rules/oldest_wait", threshold="90", quiet="1.5")
    assert "The rule is changed" in page.text
    assert (rule()["is_on"], rule()["threshold"], rule()["quiet_seconds"]) == (False, 90, 90)
    path = f"{ALERTS}/rules/oldest_wait"
    changed = server.http.patch(path, json={"is_on": True, "quiet_seconds": None})
    assert changed.json() == rule()
    assert (rule()["is_on"], rule()["threshold"], rule()["quiet_seconds"]) == (True, 90, None)
    assert server.http.patch(path, json={"threshold": 0}).status_code == 422
    assert server.http.patch(f"{ALERTS}/rules/nothing", json={}).status_code == 404
    assert posted(server, "/alerts/rules/oldest_wait", threshold="soon").status_code == 422


def test_a_private_address_is_refused_with_what_to_do(server: Served) -> None:
    body = {"name": "inside", "url": "http://10.0.0.1/"}
    refused = server.http.post(DESTINATIONS, json=body)
    assert refused.status_code == 422
    assert "allowed_networks" in refused.json()["detail"]
    page = server.http.post("/alerts/destinations", data={**body, "kind": "webhook"})
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert 'value="inside"' in page.text
    assert destinations(server) == []


def test_what_acts_on_this_machine_is_refused_of_apprise(server: Served) -> None:
    for url in ("syslog://", "json://example.com/", "dbus://"):
        body = {"name": "local", "kind": "apprise", "url": url}
        assert server.http.post(DESTINATIONS, json=body).status_code == 422


@pytest.mark.parametrize("number", ["0", "x", "99999999999999999999", "12345"])
def test_what_is_not_there_is_not_found(server: Served, number: str) -> None:
    for path in (f"/alerts/destinations/{number}/test", f"/alerts/deliveries/{number}/retry"):
        assert server.http.post(path).status_code == 404


def test_what_a_destination_is_told_of_is_chosen_on_the_page_and_by_the_api(
    server: Served, receiver: Receiver
) -> None:
    number, _ = add(server, receiver, "chosen")
    path = f"/alerts/destinations/{number}/rules"
    one = f"{DESTINATIONS}/{number}"

    def chosen() -> list[str] | None:
        its = next(each for each in destinations(server) if each["id"] == number)
        rules: list[str] | None = its["rules"]
        return rules

    assert chosen() is None
    page = server.http.post(path, data={"rule": ["low_disk", "worker_died"]}, follow_redirects=True)
    assert "is changed" in page.text
    assert chosen() == ["worker_died", "low_disk"]
    assert "Told of 2 of" in page.text
    assert server.http.patch(one, json={"rules": ["no_backup"]}).json()["rules"] == ["no_backup"]
    for wrong in ([], ["nothing"], "no_backup"):
        assert server.http.patch(one, json={"rules": wrong}).status_code == 422
    assert server.http.post(path).status_code == 422
    names = [each["rule"] for each in server.http.get(ALERTS).json()["rules"]]
    server.http.post(path, data={"rule": names})
    assert chosen() is None
    body = {"name": "few", "url": receiver.url, "rules": ["no_backup"]}
    added = server.http.post(DESTINATIONS, json=body).json()["destination"]
    assert added["rules"] == ["no_backup"]
    for each in destinations(server):
        server.http.delete(f"{DESTINATIONS}/{each['id']}")
