"""Which language a request is answered in: what was chosen, else what the browser asks for."""

from typing import Final

from babel import negotiate_locale
from starlette.requests import Request

from pooldeck_server.web.http.cookies import cookie
from pooldeck_server.web.text.i18n import ENGLISH, LANGUAGES

COOKIE: Final = "pooldeck-language"
COOKIE_SECONDS: Final = 365 * 24 * 3600
_LONGEST_HEADER: Final = 500  # characters that are looked at
_BY_SUBTAG: Final = {"en": ENGLISH, "zh": "zh-Hans"}


def language_of(request: Request) -> str:
    chosen = cookie(request.scope, COOKIE)
    return chosen if chosen in LANGUAGES else accepted(request.headers.get("accept-language", ""))


def accepted(header: str) -> str:
    """Return the language that an Accept-Language header likes best among those there are.

    Regions and scripts are not told apart. English where it names none, or makes no sense.
    """
    ranges = map(_range, header[:_LONGEST_HEADER].lower().split(","))
    liked = sorted(ranges, key=lambda each: -each[1])  # equals stay in their order
    names = [name for name, quality in liked if quality > 0]
    return _BY_SUBTAG[negotiate_locale(names, _BY_SUBTAG, sep="-", aliases={}) or "en"]


def _range(part: str) -> tuple[str, float]:
    name, _, quality = part.partition(";q=")
    try:
        return name.strip(), float(quality or 1)
    except ValueError:
        return "", 0.0
