"""Templates into pages: what a template shows as a value, the frame around it, pages for errors."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import QueryParams

from pooldeck.kinds import KINDS
from pooldeck_server.domain.errors import PooldeckError
from pooldeck_server.domain.tasks.states import State, future_state
from pooldeck_server.resources import resource
from pooldeck_server.web.http.dependencies import server_of
from pooldeck_server.web.http.errors import STATUS
from pooldeck_server.web.http.language import language_of
from pooldeck_server.web.http.modules import imported_by
from pooldeck_server.web.pages.shared import tiles
from pooldeck_server.web.pages.shared.flash import flash
from pooldeck_server.web.pages.shared.strip import strip
from pooldeck_server.web.pages.shared.tracebacks import traceback_parts
from pooldeck_server.web.text import formats, i18n
from pooldeck_server.web.text.annotations import annotation_words, history_words
from pooldeck_server.web.text.colours import colour_of
from pooldeck_server.web.text.hints import hint_words
from pooldeck_server.web.text.kinds import kind_words
from pooldeck_server.web.text.notices import notices
from pooldeck_server.web.text.states import state_word

_FILTERS = (
    "call_time",
    "clock",
    "count",
    "duration",
    "iso",
    "moment",
    "percent",
    "rate",
    "share",
    "short_name",
    "size",
)


@dataclass(frozen=True)
class Fragment:
    """What a template shows: each field is a variable of it, by the same name.

    `template` is its file in `templates/`.
    """

    template: ClassVar[str]


@dataclass(frozen=True)
class Page(Fragment):
    """What a template shows inside the frame: navigation, strip of numbers, what needs attention.

    `section` is the page's entry of the navigation, and `flashes` are the words for what can be
    done on it.
    """

    section: ClassVar[str]
    flashes: ClassVar[Mapping[str, str]] = {}

    def flash(self, query: QueryParams) -> str | None:
        return flash(query, self.flashes)


@cache
def environment() -> Environment:
    """Return the templates, with the words of `pooldeck_server.web.text.formats` as filters."""
    templates = Environment(
        loader=FileSystemLoader(resource("templates")),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.install_gettext_callables(  # type: ignore[attr-defined]  # the extension's
        i18n.gettext, i18n.ngettext, newstyle=True
    )
    templates.filters |= {name: getattr(formats, name) for name in _FILTERS}
    templates.filters |= {
        "annotation_words": annotation_words,
        "colour_of": colour_of,
        "data_block": data_block,
        "hint_words": hint_words,
        "history_words": history_words,
        "spark": tiles.spark,
        "state_word": state_word,
        "traceback_parts": traceback_parts,
    }
    templates.globals |= {
        "ago": formats.ago,
        "call_summary": formats.call_summary,
        "future_state": future_state,
        "gettext": _gettext,
        "imported_by": imported_by,
        "kind_words": kind_words,
        "KINDS": KINDS,
        "late_first": tiles.late_first,
        "layout": tiles.layout,
        "ngettext": _ngettext,
        "slot_state": tiles.slot_state,
        "State": State,
    }
    return templates


def _gettext(text: str, /, **values: object) -> Markup:
    """Look up a text of a template, which may hold markup; `values` may not."""
    return Markup(i18n.look_up(text)) % values  # noqa: S704 - templates and catalogues are ours


def _ngettext(one: str, many: str, n: int, /, **values: object) -> Markup:
    """Look up a text of a template by a number, whose thousands are set apart."""
    form = i18n.look_up_form(one, many, n)
    return Markup(form) % (values | {"num": formats.count(n)})  # noqa: S704 - as above


def data_block(value: Any) -> Markup:
    """Return JSON that can stand between the tags of a script element."""
    text = msgspec.json.encode(value).decode().replace("<", "\\u003c")
    return Markup(text)  # noqa: S704 - nothing in it ends the element


def render(request: Request, shown: Fragment, status: int = 200) -> HTMLResponse:
    """Answer with a page, inside the frame if it is a `Page`."""
    language = i18n.language.get()
    variables = {
        "static": request.app.state.static_path,
        "language": language,
        "languages": i18n.LANGUAGES,
        "here": _here(request),
    }
    if isinstance(shown, Page):
        variables |= _frame(request, shown)
    variables |= {field.name: getattr(shown, field.name) for field in fields(shown)}
    html = environment().get_template(shown.template).render(variables)
    headers = {"content-language": language, "vary": "accept-language, cookie"}
    return HTMLResponse(html, status, headers)


def _here(request: Request) -> str:
    if request.method != "GET":
        return "/"
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _frame(request: Request, page: Page) -> dict[str, Any]:
    server = server_of(request)
    frame = server.frames.latest()
    return {
        "navigation": request.app.state.navigation,
        "section": page.section,
        "flashed": page.flash(request.query_params),
        "strip": strip(frame),
        "notices": notices(frame, server.state, server.holds.all()),
        "now": server.clock.now(),
        "has_token": server.settings.token is not None,
    }


@dataclass(frozen=True)
class ErrorView(Fragment):
    """Why there is no page."""

    template = "shared/error.html"
    title: str
    detail: str


class PageRoute(APIRoute):
    """A route that answers in the reader's language, and with a page where something is wrong."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            with i18n.speaking(language_of(request)):
                try:
                    return await handler(request)
                except PooldeckError as error:
                    return error_page(request, error, STATUS[type(error)])

        return answer


def page_router() -> APIRouter:
    return APIRouter(include_in_schema=False, route_class=PageRoute)


def error_page(request: Request, error: PooldeckError, status: int) -> Response:
    return render(
        request, ErrorView(i18n.gettext(error.title), formats.sentence(error.detail)), status
    )
