"""A server that is killed between the commit of an end and the telling of it, or while it ran."""

from pathlib import Path

from tests.support.receiver import receiving
from tests.support.serving import serving
from tests.support.waiting import eventually

FUNCTIONS = """
import time
from pooldeck import task

@task
def add(a, b):
    return a + b

@task(idempotent=False)
def hang(path):
    open(path, "w").close()
    time.sleep(600)
"""


def test_an_end_outlives_a_kill_before_it_was_told_and_what_is_lost_is_told(tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(FUNCTIONS)
    (tmp_path / "pooldeck.toml").write_text('[alerts]\nallowed_networks = ["127.0.0.0/8"]\n')
    options = ("--functions", "jobs", "--data", "data")
    tasks = "/api/v1/tasks"
    with receiving() as receiver:
        dying = {"POOLDECK_FAIL_AT": "before_callback"}
        with serving(tmp_path, *options, environment=dying) as server:
            server.wait_until_ready()
            secret = server.client.post("/api/v1/alerts/callbacks/rotate").json()["secret"]
            mark = tmp_path / "began"
            hanging = {"function": "jobs.hang", "args": [str(mark)], "callback": receiver.url}
            lost = server.client.post(tasks, json=hanging).json()["id"]
            eventually(mark.exists, "the one that is to be lost runs")
            adding = {"function": "jobs.add", "args": [1, 2], "callback": receiver.url}
            ended = server.client.post(tasks, json=adding).json()["id"]
            assert server.wait() == -9
        assert receiver.got == []
        with serving(tmp_path, *options) as server:
            server.wait_until_ready()
            eventually(lambda: len(receiver.got) >= 2, "both ends are told")
            said = "".join(server.said)
        states = {got.data["id"]: got.data["state"] for got in receiver.got}
        assert states == {ended: "succeeded", lost: "lost"}
        assert all(got.is_signed_by(secret) for got in receiver.got)
        assert secret not in said
        assert "of-the-receiver" not in said
