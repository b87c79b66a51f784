"""What is said of a worker's death in one sentence."""

from typing import Any

import pytest

from pooldeck_server.domain.failures.incidents import Bystander, StoredIncident, TaskName

RENDER = TaskName("1", "shop.render")


def incident(**known: Any) -> StoredIncident:
    given: dict[str, Any] = {"cause": "killed by SIGKILL", "signal": 9} | known
    return StoredIncident(id="i", pool="io", worker="io-1", pid=7, detected_at=0, **given)


def suspected(*tasks: TaskName) -> dict[str, Any]:
    """Return what is known where tasks ran, and which of them did it is not known."""
    return {"suspects": tasks, "bystanders": [Bystander(each.task, "lost") for each in tasks]}


def test_what_happened_is_a_sentence_whatever_the_cause() -> None:
    assert incident().sentence == "was killed by SIGKILL"
    assert incident(cause="exited with code 3", signal=None).sentence == "exited with code 3"


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"culprit": RENDER}, "while it ran shop.render (task 1)"),
        (
            {"culprit": RENDER, "bystanders": (Bystander("2", "lost"),)},
            "while it ran shop.render (task 1), and 1 task beside it",
        ),
        (suspected(RENDER), "when it had shop.render (task 1) in hand"),
        (
            suspected(RENDER, TaskName("2", "shop.mail"), TaskName("3", "shop.mail")),
            "while it ran 3 tasks, one of which may have done it (shop.mail, shop.render)",
        ),
        (
            suspected(*(TaskName(f"{n}", f"shop.f{n}") for n in range(32))),
            "while it ran 32 tasks, one of which may have done it (shop.f0, shop.f1, shop.f10, …)",
        ),
        ({}, "while it ran no task"),
        (
            suspected(RENDER) | {"suspects": (RENDER, TaskName("2", "shop.mail"))},
            (
                "when it had shop.render (task 1) in hand; "
                "what 1 task had left running in it may have done it (shop.mail)"
            ),
        ),
        (
            {"suspects": (RENDER,)},
            (
                "while it ran no task; what 1 task had left running in it may have done it "
                "(shop.render)"
            ),
        ),
    ],
)
def test_the_culprit_is_named_or_those_that_may_have_done_it(
    known: dict[str, Any], words: str
) -> None:
    assert incident(**known).circumstances == words
