"""What a watch has not told before the server was killed, a new one tells after it is back."""

from pathlib import Path

from tests.support.serving import serving
from tests.support.waiting import eventually
from tests.support.watched import watching

_FUNCTIONS = """
import time

from pooldeck import task


@task
def nap(number: int) -> int:
    time.sleep(0.02)
    return number
"""

_CONFIG = """
functions = ["naps"]

[pools.io]
kind = "thread"
size = 4
"""


def test_after_kill_9_a_new_watch_tells_the_ends_of_all_that_are_outstanding(
    tmp_path: Path,
) -> None:
    (tmp_path / "naps.py").write_text(_FUNCTIONS)
    (tmp_path / "pooldeck.toml").write_text(_CONFIG)
    tasks = [{"function": "naps.nap", "args": [number]} for number in range(300)]
    with serving(tmp_path) as server:
        server.wait_until_ready()
        with watching(server.client) as watch:
            headers = {"Pooldeck-Watch": watch.id, "Idempotency-Key": "all"}
            sent = server.client.post("/api/v1/tasks/batch", json={"tasks": tasks}, headers=headers)
            ids = sent.json()["ids"]
            eventually(lambda: len(watch.ends) > 20, "some have ended")
            server.process.kill()
            watch.wait_until_closed()
            told = watch.ends
        server.wait()
    assert len(told) < len(ids)
    with serving(tmp_path) as server:
        server.wait_until_ready()
        outstanding = [each for each in ids if each not in told]
        with watching(server.client, outstanding) as watch:
            watch.wait_for(outstanding)
            assert watch.ends.keys() == set(outstanding)
            assert watch.unknown == []
        states = {end["state"] for end in watch.ends.values()}
        assert "succeeded" in states <= {"succeeded", "lost"}
        again = server.client.post(
            "/api/v1/tasks/batch", json={"tasks": tasks}, headers={"Idempotency-Key": "all"}
        )
        assert again.json()["ids"] == ids
