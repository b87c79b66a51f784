"""Agents have numbers of their own, follow each other after growing pauses, and none is lost."""

from pooldeck.engines.slots import Slots


def due(slots: Slots, now: float) -> list[int]:
    """Ask for what is due."""
    found = list(slots.due(now))
    for slot in found:
        slot.is_asked = True
    return [slot.number for slot in found]


def test_as_many_agents_are_asked_for_as_hosts_are_wanted() -> None:
    slots = Slots((), 1)

    slots.want(3, 0.0)

    assert due(slots, 0.0) == [1, 2, 3]
    assert due(slots, 100.0) == []


def test_a_successor_joins_the_agents_of_the_one_before() -> None:
    slots = Slots((4, 7), 9)

    assert due(slots, 0.0) == [4, 7]
    slots.want(3, 0.0)
    assert due(slots, 0.0) == [9]
    assert slots.following == 10


def test_after_the_scheduler_was_away_the_same_agents_are_asked_for() -> None:
    slots = Slots((), 1)
    slots.want(2, 0.0)
    due(slots, 0.0)

    slots.asked_anew()

    assert due(slots, 1.0) == [1, 2]


def test_an_agent_that_ends_is_followed_by_the_next_number() -> None:
    slots = Slots((), 1)
    slots.want(1, 0.0)
    due(slots, 0.0)
    slots.holds(1, "host-a", "tcp://host-a", 1.0)

    slots.ended(1, 1, 100.0)

    assert due(slots, 100.0) == [2]


def test_agents_that_end_at_once_follow_each_other_after_pauses_that_grow_to_a_minute() -> None:
    slots = Slots((), 1)
    slots.want(1, 0.0)
    now, pauses = 0.0, []
    for number in range(1, 9):
        assert due(slots, now) == [number]
        slots.ended(number, 1, now)
        began = now
        while not any(True for _ in slots.due(now)):
            now += 1.0
        pauses.append(now - began)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_with_fewer_hosts_wanted_those_without_a_place_are_withdrawn_the_last_first() -> None:
    slots = Slots((), 1)
    slots.want(3, 0.0)
    slots.holds(2, "host-a", "tcp://host-a", 0.0)

    assert slots.want(2, 1.0) == (3,)
    assert slots.want(1, 1.0) == (1,)
    assert slots.want(0, 1.0) == ()  # its host is the server's to end
    assert slots.numbers == (2,)


def test_a_host_too_many_is_not_followed_by_another() -> None:
    slots = Slots((), 1)
    slots.want(2, 0.0)
    slots.holds(1, "host-a", "tcp://host-a", 0.0)
    slots.holds(2, "host-b", "tcp://host-b", 0.0)
    slots.want(1, 1.0)

    slots.ended(1, 1, 2.0)

    assert slots.numbers == (2,)
    assert [slot.number for slot in slots.holding] == [2]


def test_an_agent_whose_place_was_taken_away_has_none() -> None:
    slots = Slots((), 1)
    slots.want(1, 0.0)
    slots.holds(1, "host-a", "tcp://host-a", 0.0)

    slots.left(1)

    assert slots.holding == ()
    assert slots.want(0, 1.0) == (1,)
