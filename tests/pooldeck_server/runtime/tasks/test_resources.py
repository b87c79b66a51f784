"""What tasks need of a machine: they share what there is, in their order, and hold nobody up."""

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from pooldeck_server.domain.tasks.needs import Amounts
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.runtime.tasks.resources import Resources
from tests.support.engine import engine, eventually, outcome, submit
from tests.support.queued_tasks import queued

pytestmark = pytest.mark.anyio
POOLS = {
    "cpu": {"kind": "process", "size": 3, "spare": 0, "has": {"gpu": 2, "licence": 1}},
    "io": {"kind": "thread", "size": 4, "has": {"gpu": 1}},
}


class Machines:
    """Two machines with two slots each; `left` of these are free."""

    are_several = True

    def __init__(self) -> None:
        self.amounts: dict[str, Amounts] = {"a": {"gpu": 1, "ram": 8}, "b": {"ram": 16}}
        self.left = {"a-1": 2, "b-1": 2}

    def has(self) -> Mapping[str, Amounts]:
        return dict(self.amounts)

    def of(self, worker: str) -> str:
        return worker[0]


@pytest.fixture
def machines() -> Machines:
    return Machines()


@pytest.fixture
def in_hand() -> set[int]:
    return set()


@pytest.fixture
def resources(machines: Machines, in_hand: set[int]) -> Resources:
    return Resources(
        machines=machines,
        free_by_worker=lambda: machines.left,
        in_hand=lambda: in_hand,
        running=lambda: in_hand,
    )


def grants(resources: Resources, seq: int, priority: int = 0, **needs: float) -> str | None:
    return resources.grant(queued(seq, priority), needs, None)


def test_what_one_has_taken_another_waits_for_until_that_is_over(
    resources: Resources, in_hand: set[int]
) -> None:
    assert grants(resources, 1, gpu=1) == "a"
    assert grants(resources, 2, gpu=1) is None
    in_hand.add(1)
    resources.begin_choice()
    assert resources.due() == []
    in_hand.clear()
    assert resources.due() == [2]
    resources.came([2])
    assert grants(resources, 2, gpu=1) == "a"


def test_a_machine_without_a_free_slot_gets_nothing(
    resources: Resources, machines: Machines
) -> None:
    machines.left = {"b-1": 1}
    assert grants(resources, 1, gpu=1) is None
    assert grants(resources, 2, ram=4) == "b"
    assert grants(resources, 3, ram=4) is None
    machines.left = {"a-1": 1}
    resources.begin_choice()
    assert resources.due() == [1]


def test_who_comes_later_does_not_overtake_one_that_needs_more(
    resources: Resources, in_hand: set[int]
) -> None:
    assert grants(resources, 1, ram=9) == "b"
    in_hand.add(1)
    resources.begin_choice()
    assert grants(resources, 2, ram=16) is None
    assert grants(resources, 3, ram=1) == "a"  # where the one before it could never run
    assert grants(resources, 4, ram=8) is None
    assert grants(resources, 5, priority=9, ram=7) == "b"  # it goes before that one


def test_tenths_add_up(resources: Resources, machines: Machines) -> None:
    machines.amounts = {"a": {"share": 1}}
    machines.left = {"a-1": 20}
    granted = [grants(resources, seq, share=0.1) for seq in range(1, 12)]
    assert granted == ["a"] * 10 + [None]


def test_what_no_machine_has_is_told_from_what_is_in_use(
    resources: Resources, machines: Machines
) -> None:
    assert resources.lets({"gpu": 1, "ram": 8})
    assert not resources.lets({"gpu": 1, "ram": 16})
    assert not resources.lets({"tpu": 1})
    assert not resources.look_again()
    machines.amounts["c"] = {"tpu": 4}
    assert resources.look_again()
    assert resources.lets({"tpu": 1})


def test_a_claimed_task_whose_machine_is_gone_is_given_another(
    resources: Resources, machines: Machines, in_hand: set[int]
) -> None:
    assert grants(resources, 1, ram=8) == "a"
    in_hand.add(1)
    del machines.amounts["a"]
    machines.left = {"b-1": 1}
    resources.look_again()
    assert resources.machine_of(queued(1), {"ram": 8}) == "b"
    assert resources.workers_on("b", None) == {"b-1"}


async def test_two_that_need_the_only_one_run_one_after_the_other_and_others_beside_them(
    tmp_path: Path,
) -> None:
    flag = tmp_path / "flag"
    async with engine(tmp_path / "data", pools=POOLS) as server:
        needing = [await submit(server, "half", str(flag), needs={"licence": 1}) for _ in range(3)]
        await eventually(lambda: needing[0] in server.queues["cpu"].running)
        assert (await outcome(server, await submit(server, "add", 1, 2))).result == "3"
        assert server.queues["cpu"].running.seqs()
        assert [task in server.queues["cpu"].running for task in needing] == [True, False, False]
        flag.touch()
        ended = [await outcome(server, task) for task in needing]
        assert [task.state for task in ended] == [State.SUCCEEDED] * 3
        for before, after in pairwise(ended):
            assert before.finished_at is not None
            assert after.started_at is not None
            assert before.finished_at <= after.started_at


async def test_a_cancelled_one_that_waited_lets_the_next_go_on(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    async with engine(tmp_path / "data", pools=POOLS) as server:
        first, second, third = [
            await submit(server, "half", str(flag), needs={"licence": 1}) for _ in range(3)
        ]
        await eventually(lambda: bool(server.queues["cpu"].resources.parked))
        await server.tasks.cancel(second)
        flag.touch()
        states = [(await outcome(server, task)).state for task in (first, second, third)]
        assert states == [State.SUCCEEDED, State.CANCELLED, State.SUCCEEDED]


async def test_what_nobody_has_does_not_hold_up_what_comes_after_it(tmp_path: Path) -> None:
    async with engine(tmp_path / "data", pools=POOLS) as server:
        await submit(server, "add", 1, 1, needs={"tpu": 1})
        fits = await submit(server, "add", 1, 2, needs={"gpu": 2, "cpus": 1})
        assert (await outcome(server, fits)).result == "3"
        queue = server.queues["cpu"]
        assert dict(queue.unschedulable.counts) == {"runtime_functions.add": 1}
        assert queue.obstacle("runtime_functions.add") == "no machine of it has tpu"
        await submit(server, "add", 1, 1, needs={"gpu": 100})
        await eventually(lambda: "gpu" in queue.obstacle("runtime_functions.add"))
        tpu, gpu = queue.obstacle("runtime_functions.add").split("; ")
        assert tpu == "no machine of it has tpu"
        assert gpu.startswith("no machine of it has gpu 100, the most is ")
