"""Templates into pages: what a template shows as a value, the frame around it, pages for errors."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar, Final
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from pooldeck.kinds import KINDS
from pooldeck.needs import in_words
from pooldeck_server.domain.errors import Internal, PooldeckError
from pooldeck_server.domain.frames import Frame
from pooldeck_server.domain.pools.annotations import MAX_REASON
from pooldeck_server.domain.tasks.states import State, future_state
from pooldeck_server.domain.terminal_text import plain
from pooldeck_server.resources import resource
from pooldeck_server.web.http.application import server_of
from pooldeck_server.web.http.cookies import cookies
from pooldeck_server.web.http.credentials import COOKIE
from pooldeck_server.web.http.errors import STATUS, logged
from pooldeck_server.web.http.language import language_of
from pooldeck_server.web.http.modules import imported_by
from pooldeck_server.web.http.mount import path_of, place_page, root_path_of
from pooldeck_server.web.http.principals import principal_of
from pooldeck_server.web.http.rules import may
from pooldeck_server.web.http.sight import Sight, sight_of
from pooldeck_server.web.http.time_zone import choice_of, zone_of
from pooldeck_server.web.pages.shared import tiles
from pooldeck_server.web.pages.shared.allowed import allowed_part
from pooldeck_server.web.pages.shared.attention import Attention, attention, attention_to
from pooldeck_server.web.pages.shared.faults import fault_of
from pooldeck_server.web.pages.shared.flash import flash
from pooldeck_server.web.pages.shared.strip import strip
from pooldeck_server.web.pages.shared.tracebacks import folded_parts, traceback_parts
from pooldeck_server.web.text import formats, i18n, zones
from pooldeck_server.web.text.actions import person_words
from pooldeck_server.web.text.annotations import annotation_words, history_words
from pooldeck_server.web.text.hints import hint_words
from pooldeck_server.web.text.holds import hold_words
from pooldeck_server.web.text.hosts import contact_words, count_words, worker_name
from pooldeck_server.web.text.kinds import kind_words
from pooldeck_server.web.text.notices import severity_word
from pooldeck_server.web.text.reasons import cause_words, error_word, role_word, start_words
from pooldeck_server.web.text.recorded import problem_words, reason_words
from pooldeck_server.web.text.states import state_word
from pooldeck_server.web.text.terminal_text import coloured
from pooldeck_server.web.text.zones import zone_words

_FILTERS = (
    "call_time",
    "clock",
    "count",
    "duration",
    "in_field",
    "iso",
    "minute",
    "moment",
    "percent",
    "rate",
    "share",
    "short_name",
    "size",
)


_GROUPS = {"deck": "live", "timeline": "history", "shared": "observing", "actions": "observing"}
"""The groups of the API's calls where a section of the pages is called otherwise."""


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
        finalize=_shown,
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
        "coloured": coloured,
        "data_block": data_block,
        "fault_of": fault_of,
        "folded_parts": folded_parts,
        "hint_words": hint_words,
        "history_words": history_words,
        "host_count": count_words,
        "contact_words": contact_words,
        "worker_name": worker_name,
        "needs": in_words,
        "person_words": person_words,
        "plain": plain,
        "spark": tiles.spark,
        "state_word": state_word,
        "error_word": error_word,
        "cause_words": cause_words,
        "role_word": role_word,
        "severity_word": severity_word,
        "hold_words": hold_words,
        "problem_words": problem_words,
        "reason_words": reason_words,
        "start_words": start_words,
        "traceback_parts": traceback_parts,
        "zone_words": zone_words,
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
        "MAX_REASON": MAX_REASON,
        "ngettext": _ngettext,
        "slot_state": tiles.slot_state,
        "State": State,
        "zone_name": zones.zone_name,
    }
    return templates


def _gettext(text: str, /, **values: object) -> Markup:
    """Look up a text of a template, which may hold markup; `values` may not."""
    shown = {name: _shown(value) for name, value in values.items()}
    return Markup(i18n.look_up(text)) % shown  # noqa: S704 - templates and catalogues are ours


def _shown(value: object) -> object:
    """Return a value of a template without what only a terminal would obey."""
    return plain(value) if type(value) is str else value


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
    language, sight = i18n.language.get(), sight_of(request)
    variables = {
        "static": request.app.state.static_path,
        "language": language,
        "languages": i18n.LANGUAGES,
        "here": _here(request),
        "method": request.method,
        "zone": zones.zone_name(),
        "zone_choice": choice_of(request.scope),
        "sees_values": sight.sees_values,
    }
    if isinstance(shown, Page):
        variables |= _frame(request, shown, sight)
    variables |= {field.name: getattr(shown, field.name) for field in fields(shown)}
    html = environment().get_template(shown.template).render(variables)
    if (principal := principal_of(request.scope)) is not None:  # else it is open to all
        html = allowed_part(html, principal)
    html = place_page(html, root_path_of(request.scope))
    headers = {"content-language": language, "vary": "accept-language, cookie"}
    return HTMLResponse(html, status, headers)


def _here(request: Request) -> str:
    if request.method != "GET":
        return "/"
    path, query = quote(path_of(request.scope)), request.url.query
    return f"{path}?{query}" if query else path


def _frame(request: Request, page: Page, sight: Sight) -> dict[str, Any]:
    """Return what the frame shows; who sees only a part gets no numbers of the whole, nor live."""
    server, principal = server_of(request), sight.principal
    frame = sight.frame(server.frames.latest())
    is_whole, screens = sight.is_whole, request.app.state.navigation
    return {
        "navigation": [each for each in screens if may("GET", each.path, principal)],
        "section": page.section,
        "flashed": page.flash(request.query_params),
        "strip": strip(frame) if is_whole else None,
        "attention": _attention(request, page, frame) if is_whole else attention_to(()),
        "now": server.clock.now(),
        "is_open": not server.tokens.is_asked_for,
        "has_session": any(map(server.sessions.holds, cookies(request.scope, COOKIE))),
        "principal": principal,
        "reference": _reference(page.section),
        "may_manage_tokens": may("GET", "/tokens", principal),
    }


def _attention(request: Request, page: Page, frame: Frame) -> Attention:
    is_deck = page.section == "deck"
    return attention(server_of(request), frame, _here(request), is_unfolded=is_deck)


def _reference(section: str) -> str:
    """Return where the calls are described that do what the pages of a section do."""
    return "/docs" if section == "reference" else f"/docs/{_GROUPS.get(section, section)}"


@dataclass(frozen=True)
class ErrorView(Fragment):
    """Why there is no page."""

    template = "shared/error.html"
    title: str
    detail: str


_ANSWERED_ELSEWHERE: Final = (HTTPException, RequestValidationError, ClientDisconnect)
"""What the application has answers for, those of the API too."""


class PageRoute(APIRoute):
    """A route that answers in the reader's language, and with a page where something is wrong."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def answer(request: Request) -> Response:
            with i18n.speaking(language_of(request)), zones.times_in(zone_of(request.scope)):
                try:
                    return await handler(request)
                except PooldeckError as error:
                    return error_page(request, error, STATUS[type(error)])
                except _ANSWERED_ELSEWHERE:
                    raise
                except Exception as error:  # noqa: BLE001 - it is logged, and said on a page
                    return error_page(request, logged(error), STATUS[Internal])

        return answer


def page_router() -> APIRouter:
    return APIRouter(include_in_schema=False, route_class=PageRoute)


def error_page(request: Request, error: PooldeckError, status: int) -> Response:
    return render(
        request, ErrorView(i18n.gettext(error.title), formats.sentence(error.detail)), status
    )
