"""Templates into pages: the Jinja environment, and what stands around every page."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from app.domain.states import State, future_state
from app.resources import resource
from app.web import formats, words
from app.web.contexts.confirm import Confirmation
from app.web.contexts.frame import frame_context

_FILTERS = (
    "clock",
    "count",
    "duration",
    "is_cut",
    "iso",
    "moment",
    "percent",
    "pretty_json",
    "short_name",
    "size",
)


@cache
def environment() -> Environment:
    """Return the templates, with the words of `app.web.formats` as filters."""
    templates = Environment(
        loader=FileSystemLoader(resource("templates")),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.install_gettext_callables(  # type: ignore[attr-defined]  # the extension's
        words.gettext, words.ngettext, newstyle=True
    )
    templates.filters |= {name: getattr(formats, name) for name in _FILTERS}
    templates.globals |= {
        "ago": formats.ago,
        "call_summary": formats.call_summary,
        "future_state": future_state,
        "State": State,
    }
    return templates


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
    static = request.app.state.static_path
    html = environment().get_template(template).render(static=static, **context)
    return HTMLResponse(html, status)


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
    service = request.app.state.service
    frame = frame_context(service.feed.latest(), service.state, service.holds())
    around = {
        "frame": frame,
        "section": section,
        "now": service.clock.now(),
        "has_token": service.settings.token is not None,
    }
    return bare_page(request, template, around | dict(context), status)


def confirmation(request: Request, asked: Confirmation) -> HTMLResponse:
    """Render the question before something is done."""
    return page(request, asked.section, "confirm.html", {"asked": asked})
