"""An engine with the functions of the tests of pipelines, and ways to ask it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw

from pooldeck_server.domain.tasks.pipelines import PipelineRequest
from pooldeck_server.domain.tasks.submission import Submission
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.runtime.pipelines.pipelines import Submitted
from pooldeck_server.runtime.server import Server
from tests.support.engine import BOUND, engine, outcome

MODULES = ("runtime_functions", "pipeline_functions")


@asynccontextmanager
async def pipeline_engine(data: Path, **changes: Any) -> AsyncIterator[Server]:
    """Run an engine whose functions are those of pipelines."""
    async with engine(data, functions=MODULES, **changes) as server:
        yield server


def result_of(name: str) -> dict[str, str]:
    """Return a reference to the result of a task, or of a step."""
    return {"$result": name}


def asked(function: str, *args: Any, **fields: Any) -> Submission:
    """Return a submission of one of the functions of pipelines."""
    encoded = Raw(msgspec.json.encode(args))
    return Submission(function=f"pipeline_functions.{function}", args=encoded, **fields)


async def submitted(server: Server, function: str, *args: Any, **fields: Any) -> str:
    """Submit and return the id."""
    return (await server.intake.submit(asked(function, *args, **fields))).task.id


async def ended(server: Server, function: str, *args: Any, **fields: Any) -> StoredTask:
    """Submit, and return the task when it has ended."""
    return await outcome(server, await submitted(server, function, *args, **fields))


def step(function: str, *args: Any, **fields: Any) -> dict[str, Any]:
    """Return a step of a pipeline as JSON has it."""
    return {"function": f"pipeline_functions.{function}", "args": list(args)} | fields


async def pipelined(server: Server, **steps: dict[str, Any]) -> Submitted:
    """Submit a pipeline."""
    body = msgspec.json.encode({"tasks": steps})
    return await server.pipelines.submit(msgspec.json.decode(body, type=PipelineRequest))


async def result(server: Server, pipeline: Submitted, name: str) -> Any:
    """Return what the only task of a step returned."""
    task = await outcome(server, pipeline.tasks[name][0])
    assert task.state == "succeeded", task.error or task.state
    return msgspec.json.decode(task.result or "")


async def state_at_end(server: Server, pipeline: Submitted) -> str:
    """Return what a pipeline is when all of its tasks have ended, those of spread steps as well."""
    async with asyncio.timeout(BOUND):
        while True:
            state = (await server.pipelines.get(pipeline.id)).state
            if state != "running":
                return state
            await asyncio.sleep(0.01)
