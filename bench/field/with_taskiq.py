"""Taskiq's side: the task that its workers serve, and a client that sends to it in a loop."""

import asyncio
import os

from taskiq_redis import RedisStreamBroker

from bench.functions import noop

broker = RedisStreamBroker(url=os.environ["REDIS_ADDRESS"])
task = broker.register_task(noop, task_name="noop")


def send(number: int) -> None:
    """Send `number` calls, one after the other."""
    asyncio.run(_send(number))


async def _send(number: int) -> None:
    await broker.startup()
    for _ in range(number):
        await task.kiq()
    await broker.shutdown()
