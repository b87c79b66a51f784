"""Templates into pages: the Jinja environment, and what stands around every page."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pooldeck.kinds import KINDS
from pooldeck_server.domain.tasks.states import State, future_state
from pooldeck_server.resources import resource
from pooldeck_server.web.http.dependencies import server_of
from pooldeck_server.web.http.modules import imported_by
from pooldeck_server.web.pages.shared.confirmation import Confirmation
from pooldeck_server.web.pages.shared.strip import strip
from pooldeck_server.web.text import formats, i18n
from pooldeck_server.web.text.attention import notices
from pooldeck_server.web.text.kinds import kind_words
from pooldeck_server.web.text.states import state_word

_FILTERS = (
    "clock",
    "count",
    "duration",
    "iso",
    "moment",
    "percent",
    "rate",
    "short_name",
    "size",
)


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
    templates.globals |= {"gettext": _gettext, "ngettext": _ngettext}
    templates.filters |= {name: getattr(formats, name) for name in _FILTERS}
    templates.filters["state_word"] = state_word
    templates.globals |= {
        "ago": formats.ago,
        "call_summary": formats.call_summary,
        "future_state": future_state,
        "imported_by": imported_by,
        "kind_words": kind_words,
        "KINDS": KINDS,
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


def bare_page(
    request: Request, template: str, context: Mapping[str, Any], status: int = 200
) -> HTMLResponse:
    """Render a page without the frame, such as the login page.

    Args:
        request: The request that is answered.
        template: The template's file name.
        context: What the template shows.
        status: The HTTP status of the answer.
    """
    around = {
        "static": request.app.state.static_path,
        "language": i18n.language.get(),
        "languages": i18n.LANGUAGES,
        "here": _here(request),
    }
    html = environment().get_template(template).render(around | dict(context))
    return HTMLResponse(html, status, _headers())


def _here(request: Request) -> str:
    """Return the address to come back to, such as "/tasks?state=failed"."""
    if request.method != "GET":
        return "/"
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _headers() -> dict[str, str]:
    return {
        "content-language": i18n.language.get(),
        "vary": "accept-language, cookie",
    }


def page(
    request: Request, section: str, template: str, context: Mapping[str, Any], status: int = 200
) -> HTMLResponse:
    """Render a page inside the frame: navigation, strip of numbers, what needs attention.

    Args:
        request: The request that is answered.
        section: The entry of the navigation that the page belongs to, such as "tasks".
        template: The template's file name.
        context: What the template shows.
        status: The HTTP status of the answer.
    """
    server = server_of(request)
    frame = server.frames.latest()
    around = {
        "strip": strip(frame),
        "notices": notices(frame, server.state, server.holds.all()),
        "section": section,
        "now": server.clock.now(),
        "has_token": server.settings.token is not None,
    }
    return bare_page(request, template, around | dict(context), status)


def confirmation(request: Request, asked: Confirmation) -> HTMLResponse:
    """Render the question before something is done."""
    return page(request, asked.section, "confirm.html", {"asked": asked})
