"""Experiments: the list of them, one of them, and the form that begins one."""

from collections.abc import Mapping
from typing import Final

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from pooldeck.cpus import usable_cpus
from pooldeck_server.advice.sweeping import usual_sizes
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.measurements.experiments import SampleCall, StoredExperiment
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.api.experiments import read_request
from pooldeck_server.web.api.reading import decoded
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.pages.experiments import form as forms
from pooldeck_server.web.pages.experiments.data import read
from pooldeck_server.web.pages.experiments.form import ExperimentForm, new_experiment_view
from pooldeck_server.web.pages.experiments.view import experiment_view, experiments_view
from pooldeck_server.web.pages.shared.functions import registered
from pooldeck_server.web.pages.shared.posting import done, form_bytes, posted
from pooldeck_server.web.pages.shared.rendering import page_router, render
from pooldeck_server.web.text.formats import sentence

router = page_router()

_LISTED: Final = 100
_FEW: Final = 3


@router.get("/experiments")
async def experiments(request: Request, server: ServerDep, function: str = "") -> Response:
    found = await server.experiments.latest(function or None, _LISTED)
    names = [each.spec.name for each in server.catalogue.functions()]
    return render(request, experiments_view(found, names, function))


@router.get("/experiments/new")
async def new_experiment(request: Request, server: ServerDep, function: str = "") -> Response:
    if not function:
        return _form(request, server, None, None)
    found = registered(server.catalogue, function)
    latest = await server.read(queries.latest_samples, function, _FEW)
    return _form(request, server, found, _fresh(found, latest))


@router.post("/experiments")
async def begin(request: Request, server: ServerDep) -> Response:
    """Begin what the form says and show it; or the form again, with what is wrong."""
    limits = server.settings.limits
    values = dict(await posted(request, form_bytes(limits.arguments_bytes)))
    found = registered(server.catalogue, values.get("function", ""))
    try:
        typed = forms.body(found.spec.name, values)
        begun = await server.experiments.begin(await decoded(read_request, typed, limits))
    except PooldeckError as error:
        latest = await server.read(queries.latest_samples, found.spec.name, _FEW)
        form = _refused(_fresh(found, latest), values, error)
        return _form(request, server, found, form, STATUS[type(error)])
    return RedirectResponse(f"/experiments/{begun.id}", status_code=303)


@router.get("/experiments/{experiment_id}")
async def experiment(
    request: Request, server: ServerDep, experiment_id: str, beside: str = ""
) -> Response:
    found = await server.read(read, experiment_id, beside, server.experiments.present)
    return render(request, experiment_view(found, _own_pool(server, found.experiment)))


@router.post("/experiments/{experiment_id}/stop")
async def stop(server: ServerDep, experiment_id: str) -> Response:
    await server.experiments.stop(experiment_id)
    return done(f"/experiments/{experiment_id}", "stopped")


def _own_pool(server: Server, it: StoredExperiment) -> PoolHealth | None:
    try:
        return server.health.pool(server.catalogue.get(it.function).pool)
    except PooldeckError:
        return None


def _fresh(function: RegisteredFunction, latest: list[SampleCall]) -> ExperimentForm:
    return forms.fresh(function, latest, usual_sizes(usable_cpus()))


def _refused(
    form: ExperimentForm, values: Mapping[str, str], error: PooldeckError
) -> ExperimentForm:
    typed = {name: values.get(name, "") for name in forms.FIELDS}
    field = str(error.extra.get("field", "")).strip("/").partition("/")[0]
    return ExperimentForm(
        typed, form.may_use_latest, form.usual, sentence(error.detail), field or None
    )


def _form(
    request: Request,
    server: Server,
    function: RegisteredFunction | None,
    form: ExperimentForm | None,
    status: int = 200,
) -> Response:
    shown = new_experiment_view(server.catalogue.functions(), function, form)
    return render(request, shown, status)
