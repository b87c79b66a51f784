"""What `pooldeck top` draws: within the terminal, whatever there is to be drawn."""

import pytest

from pooldeck_server.remote.top.snapshot import FailureRow, PoolRow, RunningRow, Snapshot
from pooldeck_server.remote.top.state import TopState
from pooldeck_server.remote.top.view import Shown, screen

SIZES = [(80, 24), (40, 10), (20, 5), (3, 2), (1, 1), (300, 100)]
NAMES = ["jobs.add", "作业." * 40, "a\x1b[2J\nb", ""]


def crowded(name: str) -> Snapshot:
    """A server with more of everything than any terminal shows."""
    pools = (PoolRow(f"{name}{n}", "broken", n, 40, 10**9, 1e7, 1e6, 0.5) for n in range(40))
    running = (RunningRow(f"{n:036}", name, name, 1e6, 0.5, True, False, None) for n in range(400))
    return Snapshot(
        "2026-11-30T09:00:00Z", tuple(pools), tuple(running), (f"{name}: odd",) * 9, 1e9, 10**9, 5
    )


def shown(snapshot: Snapshot | None, name: str = "", trouble: str | None = None) -> Shown:
    failure = FailureRow("2026-11-30T09:00:00Z", 10**6, name, f"{name}: {'no disk ' * 99}")
    return Shown("http://127.0.0.1:8000", snapshot, 3.0, (failure,) * 9, trouble)


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_no_line_is_wider_and_no_picture_higher_than_the_terminal(
    name: str, width: int, height: int
) -> None:
    lines = screen(shown(crowded(name), name, "gone\nfor good"), TopState(), width, height)

    assert 0 < len(lines) <= height
    assert all(line.cell_len <= width for line in lines)
    assert all(line.plain.isprintable() for line in lines)


@pytest.mark.parametrize("steps", [0, 20, 39, 40, 200, 439, 10**6])
def test_what_is_selected_is_seen_among_more_than_there_is_room_for(steps: int) -> None:
    snapshot, state = crowded("jobs"), TopState()
    state.move(snapshot, 0)
    state.move(snapshot, steps)

    lines = screen(shown(snapshot), state, 80, 24)

    assert [line for line in lines if line.plain.startswith(">")]


def test_when_what_is_selected_is_gone_the_next_in_its_place_is_selected() -> None:
    before, state = crowded("jobs"), TopState()
    state.row(before)
    state.move(before, 439)
    after = Snapshot("", before.pools, before.running[:5], (), 0.0, 0, 0)

    assert state.row(after) == before.running[4]
    assert state.row(Snapshot("", (), (), (), 0.0, 0, 0)) is None


def test_an_empty_server_and_one_that_has_not_spoken_have_a_picture() -> None:
    empty = Snapshot("2026-11-30T09:00:00Z", (), (), (), 0.0, 0, 0)

    assert screen(shown(empty), TopState(), 80, 24)
    assert "waiting" in screen(shown(None), TopState(), 80, 24)[1].plain
