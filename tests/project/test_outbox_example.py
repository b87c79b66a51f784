"""The outbox of the examples: one task for each commit, whoever is killed when."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from examples.outbox import Base, OutboxTask, outbox, relay
from pooldeck.pytest_plugin import TaskDeck
from tests import ROOT
from tests.functions.plugin_functions import add

pytestmark = pytest.mark.pooldeck_functions("tests.functions.plugin_functions")

_PROGRAM = """
import os, signal, sys
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker
from examples.outbox import forget, outbox, read, submit
from pooldeck import Client
from tests.functions.plugin_functions import add

def die():
    os.kill(os.getpid(), signal.SIGKILL)

sessions = sessionmaker(create_engine(sys.argv[1]))
with sessions() as session:
    session.add(outbox(add, 2, b=3))
    if sys.argv[2] == "before the commit":
        session.flush()
        die()
    session.commit()
if sys.argv[2] == "after the commit":
    die()
with Client(sys.argv[3]) as client:
    waiting = read(sessions)
    refused = submit(waiting, client)
    if sys.argv[2] == "after the submission":
        die()
    forget(sessions, waiting, refused)
"""


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'shop.sqlite3'}"


@pytest.fixture
def sessions(address: str) -> sessionmaker[Session]:
    engine = create_engine(address)
    Base.metadata.create_all(engine)
    return sessionmaker(engine)


@pytest.mark.parametrize(
    ("dies", "tasks"),
    [("before the commit", 0), ("after the commit", 1), ("after the submission", 1), ("never", 1)],
)
def test_there_is_one_task_for_a_commit_wherever_the_program_is_killed(
    dies: str, tasks: int, address: str, sessions: sessionmaker[Session], deck_server: TaskDeck
) -> None:
    completed = subprocess.run(
        [sys.executable, "-c", _PROGRAM, address, dies, deck_server.url],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
        timeout=110,
    )
    assert completed.returncode == (0 if dies == "never" else -signal.SIGKILL)

    while relay(sessions, deck_server.client):
        pass
    records = deck_server.drain()
    assert [(each["args"], each["kwargs"], each["result"]) for each in records] == [
        ([2], {"b": 3}, 5)
    ] * tasks
    with sessions() as session:
        assert session.query(OutboxTask).count() == 0


def test_what_the_server_refuses_keeps_no_other_waiting(
    sessions: sessionmaker[Session], deck_inline: TaskDeck
) -> None:
    with sessions.begin() as session:
        session.add_all([outbox("nothing.there"), outbox(add, 1, 2)])

    assert relay(sessions, deck_inline.client) == 2
    assert relay(sessions, deck_inline.client) == 0
    assert [each["args"] for each in deck_inline.tasks] == [[1, 2]]
    with sessions() as session:
        [left] = session.query(OutboxTask).all()
        assert "nothing.there" in str(left.refused)
