"""Experiments: which kind of pool serves a function, and how large, found out by trying."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from pooldeck_server.domain.measurements.experiment_request import ExperimentRequest
from pooldeck_server.settings import LimitSettings
from pooldeck_server.web.api.bodies import read
from pooldeck_server.web.api.reading import body_of, bytes_of_many
from pooldeck_server.web.api.schemas.experiments import Experiment, ExperimentList
from pooldeck_server.web.http.dependencies import DEFAULT_LIMIT, Limit, NamePath, ServerDep
from pooldeck_server.web.http.responses import CHANGING, READING, WRITING, answer, bad, good, takes

router = APIRouter(prefix="/experiments", tags=["experiments"])

_AROUND = 4  # levels around an argument: the body, samples, one of them, its args
_EXAMPLE = {
    "function": "examples.computing.primes",
    "samples": [{"args": [100000]}],
    "sizes": {"thread": [1, 2, 4], "process": [1, 2]},
    "seconds": 1.0,
}


def read_request(body: bytes, limits: LimitSettings) -> ExperimentRequest:
    return read(ExperimentRequest, body, limits, _AROUND)


@router.post(
    "",
    status_code=202,
    responses=good(Experiment, "It has begun.", 202) | bad(*WRITING, 409, 429),
    openapi_extra=takes(ExperimentRequest, _EXAMPLE),
)
async def begin_experiment(request: Request, server: ServerDep) -> Response:
    """Try a function in temporary pools of several sizes and both kinds, beside the real ones.

    Its tasks are called again and again with the samples, so it must be safe to run many times.
    One experiment runs at a time; another one meanwhile is refused with 409.
    """
    wanted = await body_of(request, read_request, server.settings.limits, bytes_of_many)
    begun = await server.experiments.begin(wanted)
    location = f"/api/v1/experiments/{begun.id}".encode()
    return answer(Experiment.of(begun), 202, (b"location", location))


@router.get("", responses=good(ExperimentList, "Experiments.") | bad(*READING))
async def list_experiments(
    server: ServerDep,
    function: Annotated[str | None, Query(description="Only those of this function.")] = None,
    limit: Limit = DEFAULT_LIMIT,
) -> Response:
    """List experiments, the newest first."""
    found = await server.experiments.latest(function, limit)
    return answer(ExperimentList([Experiment.of(each) for each in found]))


@router.get("/{name}", responses=good(Experiment, "The experiment.") | bad(*READING, 404))
async def get_experiment(server: ServerDep, name: NamePath) -> Response:
    """Return one experiment, with what is known so far if it still runs."""
    return answer(Experiment.of(await server.experiments.get(name)))


@router.post(
    "/{name}/stop", responses=good(Experiment, "The experiment, ended.") | bad(*CHANGING, 404)
)
async def stop_experiment(server: ServerDep, name: NamePath) -> Response:
    """Stop an experiment; what it has measured is kept. One that has ended stays as it is."""
    return answer(Experiment.of(await server.experiments.stop(name)))
