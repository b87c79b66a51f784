"""`AsyncClient` against a real server, in the loop of each test."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from pooldeck import AsyncClient
from pooldeck.client.errors import Refused, UnknownFunction
from tests.functions import client_functions as functions

BOUND = 120


@pytest.fixture
async def client(url: str) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(url, timeout=30) as client:
        yield client


async def test_a_call_is_awaited(client: AsyncClient) -> None:
    assert await client.submit(functions.add, 2, 3) == 5
    assert await client.submit(functions.shout, "hear") == "HEAR"
    with pytest.raises(ValueError, match="no good"):
        await client.submit(functions.fail, "ValueError", "no good")
    with pytest.raises(UnknownFunction):
        await client.submit("nowhere.nothing")


async def test_many_are_awaited_together(client: AsyncClient) -> None:
    futures = [client.submit(functions.add, number) for number in range(100)]
    assert await client.gather(*futures) == [2 + number for number in range(100)]
    with pytest.raises(TypeError, match=r"gather\(\*futures\)"):
        await client.gather(futures)  # type: ignore[arg-type]  # that is the mistake


async def test_a_map_is_in_order_and_takes_what_it_has_room_for(client: AsyncClient) -> None:
    numbers = iter(range(50))
    results = client.map(functions.add, numbers, window=7)
    assert await anext(results) == 2
    assert next(numbers) == 8
    assert [each async for each in results] == [2 + each for each in range(1, 50) if each != 8]


async def test_waiting_for_too_short_cancels_the_task(client: AsyncClient, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    first = client.submit(functions.hold, str(gate))
    await client.stored(first)
    second = client.submit(functions.hold, str(gate))
    second_id = await client.stored(second)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(second, 0.05)
    async with asyncio.timeout(BOUND):
        while (await client.task(second_id))["state"] != "cancelled":  # noqa: ASYNC110 - by asking
            await asyncio.sleep(0.01)
    gate.touch()
    assert await first == "open"


async def test_two_futures_of_one_key_are_of_one_task(client: AsyncClient) -> None:
    view = client.options(idempotency_key="twice")
    first, second = view.submit(functions.add, 1), view.submit(functions.add, 1)
    assert (await first, await second) == (3, 3)
    assert first.task_id == second.task_id
    assert await view.submit(functions.add, 1) == 3


async def test_what_would_block_the_loop_says_so(client: AsyncClient) -> None:
    future = client.submit(functions.add, 1)
    for wait in (future.result, future.exception, future.stored):
        with pytest.raises(RuntimeError, match="await"):
            wait()
    assert await future == 3
    assert future.result() == 3


async def test_options_references_and_questions_are_as_those_of_a_client(
    client: AsyncClient,
) -> None:
    first = client.options(tags=["async"]).submit(functions.add, 1)
    assert await client.submit(functions.add, first.argument, 10) == 13
    task_id = await client.stored(first)
    assert [task["id"] async for task in client.tasks(tag="async")] == [task_id]
    assert (await client.request("GET", f"/tasks/{task_id}"))["result"] == 3
    assert await client.future(task_id) == 3
    await client.retry(task_id)
    assert await client.future(task_id) == 3
    assert [line async for line in client.logs(task_id)] == []
    with pytest.raises(Refused):
        await client.task("nothing")


async def test_what_has_not_started_is_changed(client: AsyncClient) -> None:
    future = client.options(delay=86_400).submit(functions.add, 1)
    task_id = await client.stored(future)
    assert (await client.change(task_id, kwargs={"b": 5}, run_at=None))["kwargs"] == {"b": 5}
    assert await future == 6


async def test_a_future_that_is_cancelled_before_it_is_sent_never_is(client: AsyncClient) -> None:
    future = client.submit(functions.add, 1)
    assert future.cancel()
    with pytest.raises(asyncio.CancelledError):
        await future
    with pytest.raises(CancelledError):
        await client.stored(future)
