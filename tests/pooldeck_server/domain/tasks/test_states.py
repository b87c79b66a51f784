"""The states of a task, held against what the documents say."""

import re

from pooldeck_server.domain.tasks.states import FINAL, LIVE, MOVES, State, future_state
from tests import ROOT

ARCHITECTURE = ROOT / "docs" / "architecture.md"


def documented_moves() -> set[tuple[str, str]]:
    """Return the rows of the table under the heading "Moves between states"."""
    section = ARCHITECTURE.read_text().split("Moves between states", 1)[1].split("\n#", 1)[0]
    rows = re.findall(r"^\| (\w+) \| (\w+) \|$", section, re.MULTILINE)
    return set(rows) - {("from", "to")}


def test_the_moves_are_those_of_the_architecture_page() -> None:
    moves = {(str(state), str(target)) for state, targets in MOVES.items() for target in targets}
    assert documented_moves() == moves


def test_every_state_has_its_moves_and_its_future_state() -> None:
    assert set(MOVES) == set(State)
    assert {state: future_state(state) for state in State} == {
        State.SCHEDULED: "PENDING",
        State.QUEUED: "PENDING",
        State.RUNNING: "RUNNING",
        State.SUCCEEDED: "FINISHED",
        State.FAILED: "FINISHED",
        State.CANCELLED: "CANCELLED",
        State.LOST: "FINISHED",
    }


def test_a_final_state_is_left_only_to_be_run_again_and_everything_else_can_end() -> None:
    again = {State.QUEUED, State.SCHEDULED}  # the latter, where it waits for other tasks
    assert {state for state, targets in MOVES.items() if targets <= again} == FINAL
    assert set(State) == FINAL | LIVE
    for state in LIVE:
        assert State.CANCELLED in MOVES[state]
