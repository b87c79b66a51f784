"""Experiments: the list of them, one of them, and the form that begins one."""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from pooldeck.cpus import usable_cpus
from pooldeck_server.advice.sweeping import usual_sizes
from pooldeck_server.domain.errors import NotFound, PooldeckError, UnknownFunction
from pooldeck_server.domain.functions.catalogue import RegisteredFunction
from pooldeck_server.domain.measurements.experiments import SampleCall, StoredExperiment
from pooldeck_server.domain.pools.health import PoolHealth
from pooldeck_server.runtime.server import Server
from pooldeck_server.store import queries
from pooldeck_server.web.api.experiments import read_request
from pooldeck_server.web.http.dependencies import ServerDep
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.pages.deck.chart import as_data_block
from pooldeck_server.web.pages.experiments import form as forms
from pooldeck_server.web.pages.experiments.form import ExperimentForm, form_context
from pooldeck_server.web.pages.experiments.listing import listing_context, mark_of
from pooldeck_server.web.pages.experiments.view import (
    FLASHES,
    OTHERS,
    ExperimentData,
    call_time,
    efficiency,
    experiment_context,
)
from pooldeck_server.web.pages.shared.flash import flash
from pooldeck_server.web.pages.shared.page_route import PageRoute
from pooldeck_server.web.pages.shared.posting import done, posted
from pooldeck_server.web.pages.shared.rendering import page
from pooldeck_server.web.text.formats import sentence

router = APIRouter(include_in_schema=False, route_class=PageRoute)

_SECTION: Final = "experiments"
_LISTED: Final = 100
_FEW: Final = 3


@router.get("/experiments")
async def experiments(request: Request, server: ServerDep, function: str = "") -> Response:
    """Show the experiments, the newest first."""
    found = await server.experiments.latest(function or None, _LISTED)
    names = [each.spec.name for each in server.catalogue.functions()]
    return page(request, _SECTION, "experiments.html", listing_context(found, names, function))


@router.get("/experiments/new")
async def new_experiment(request: Request, server: ServerDep, function: str = "") -> Response:
    """Show the form that begins an experiment."""
    if not function:
        return _form(request, server, None, None)
    registered = _registered(server, function)
    latest = await server.read(queries.latest_samples, function, _FEW)
    return _form(request, server, registered, _fresh(registered, latest))


@router.post("/experiments")
async def begin(request: Request, server: ServerDep) -> Response:
    """Begin what the form says and show it; or the form again, with what is wrong."""
    values = dict(await posted(request))
    registered = _registered(server, values.get("function", ""))
    try:
        typed = forms.body(registered.spec.name, values)
        begun = await server.experiments.begin(read_request(typed, server.settings.limits))
    except PooldeckError as error:
        latest = await server.read(queries.latest_samples, registered.spec.name, _FEW)
        form = _refused(_fresh(registered, latest), values, error)
        return _form(request, server, registered, form, STATUS[type(error)])
    return RedirectResponse(f"/experiments/{begun.id}", status_code=303)


@router.get("/experiments/{experiment_id}")
async def experiment(
    request: Request, server: ServerDep, experiment_id: str, beside: str = ""
) -> Response:
    """Show an experiment, beside another one if that is asked for."""
    it = await server.experiments.get(experiment_id)
    of_function = await server.experiments.latest(it.function, OTHERS + 1)
    read = ExperimentData(
        experiment=it,
        others=[each for each in of_function if each.id != it.id][:OTHERS],
        beside=await server.experiments.get(beside) if beside else None,
        pool=_own_pool(server, it),
    )
    context = experiment_context(read)
    more = {
        "flashed": flash(request.query_params, FLASHES),
        "mark": mark_of(it),
        "source": forms.words_of_source(it.source),
        "efficiency": efficiency,
        "call_time": call_time,
        "experiment_data": Markup(as_data_block(context["drawing"])),  # noqa: S704 - it is JSON
    }
    return page(request, _SECTION, "experiment.html", context | more)


@router.post("/experiments/{experiment_id}/stop")
async def stop(server: ServerDep, experiment_id: str) -> Response:
    """Stop an experiment."""
    await server.experiments.stop(experiment_id)
    return done(f"/experiments/{experiment_id}", "stopped")


def _registered(server: Server, name: str) -> RegisteredFunction:
    try:
        return server.catalogue.get(name)
    except UnknownFunction as error:
        raise NotFound(error.detail) from None


def _own_pool(server: Server, it: StoredExperiment) -> PoolHealth | None:
    """Return the pool that the function runs in now."""
    try:
        return server.health.pool(server.catalogue.get(it.function).pool)
    except PooldeckError:
        return None


def _fresh(registered: RegisteredFunction, latest: list[SampleCall]) -> ExperimentForm:
    return forms.fresh(registered, latest, usual_sizes(usable_cpus()))


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
    registered: RegisteredFunction | None,
    form: ExperimentForm | None,
    status: int = 200,
) -> Response:
    context = form_context(server.catalogue.functions(), registered, form)
    return page(request, _SECTION, "experiment_new.html", context, status)
