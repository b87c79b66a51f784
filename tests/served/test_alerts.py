"""A server that is killed between the commit of what happened and the sending of it."""

from pathlib import Path

from tests.support.receiver import receiving
from tests.support.serving import serving
from tests.support.waiting import eventually

FUNCTIONS = """
from pooldeck import task

@task
def fail():
    raise ValueError("no")
"""


def test_an_alert_outlives_a_kill_before_it_was_sent(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(FUNCTIONS)
    (tmp_path / "pooldeck.toml").write_text('[alerts]\nallowed_networks = ["127.0.0.0/8"]\n')
    options = ("--functions", "jobs", "--data", "data")
    with receiving() as receiver:
        dying = {"POOLDECK_FAIL_AT": "before_alert"}
        with serving(tmp_path, *options, environment=dying) as server:
            server.wait_until_ready()
            body = {"name": "ops", "url": receiver.url}
            added = server.client.post("/api/v1/alerts/destinations", json=body)
            assert added.status_code == 201, added.text
            secret = added.json()["secret"]
            server.client.post("/api/v1/tasks", json={"function": "jobs.fail"})
            assert server.wait() == -9
        assert receiver.got == []
        with serving(tmp_path, *options) as server:
            server.wait_until_ready()
            eventually(lambda: bool(receiver.got), "the alert is sent")
            deliveries = "/api/v1/alerts/deliveries"

            def all_delivered() -> bool:
                found = server.client.get(deliveries).json()["items"]
                return all(each["state"] == "delivered" for each in found)

            eventually(all_delivered, "what became of it is noted")
            said = "".join(server.said)
        of_errors = [got for got in receiver.got if got.data["rule"] == "new_error"]
        (got,) = of_errors
        assert got.is_signed_by(secret)
        assert got.data["alerts"][0]["subject"].startswith("ValueError in ")
        assert secret not in said
        assert "of-the-receiver" not in said
    assert (tmp_path / "data" / "pooldeck.sqlite3").stat().st_mode & 0o077 == 0
