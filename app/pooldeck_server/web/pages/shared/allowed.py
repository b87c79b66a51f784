"""What a page keeps of its buttons and links: those that lead where its reader may go.

A template says what there is to do, `http.rules` who may do it. What a reader may not do is taken
out of the finished page, so that no template has to ask, and none can forget to.
"""

import re
from typing import Final
from urllib.parse import unquote, urlsplit

from pooldeck_server.domain.access import Principal, Role
from pooldeck_server.web.http.rules import rules_at

# Forms, buttons and links stand in no other of their kind; in a text "<" is escaped.
_FORM: Final = re.compile(r"<form\b(?P<head>[^>]*)>.*?</form>", re.DOTALL)
_BUTTON: Final = re.compile(r"<button\b(?P<head>[^>]*\bformaction=[^>]*)>.*?</button>", re.DOTALL)
_LINK: Final = re.compile(r"<a\b(?P<head>[^>]*)>(?P<inside>.*?)</a>", re.DOTALL)
_ADDRESS: Final = re.compile(r'(?<=\s)(?:href|action|formaction)="([^"]*)"')
_IS_POST: Final = re.compile(r'(?<=\s)method="post"')
_IS_BUTTON: Final = re.compile(r'(?<=\s)class="[^"]*\bbutton\b')


def allowed_part(html: str, principal: Principal) -> str:
    """Return a page without the buttons and links that lead where its reader may not go.

    Of a link in a text, its words stay.
    """
    if principal.role is Role.ADMIN:
        return html
    may = _May(principal)
    html = _FORM.sub(may.form, html)
    html = _BUTTON.sub(may.button, html)
    return _LINK.sub(may.link, html)


class _May:
    """Asks the rules for one reader; what they do not know leads elsewhere and stays."""

    def __init__(self, principal: Principal) -> None:
        self._principal = principal

    def form(self, found: re.Match[str]) -> str:
        method = "POST" if _IS_POST.search(found["head"]) else "GET"
        return found[0] if self._leads_on(method, found["head"]) else ""

    def button(self, found: re.Match[str]) -> str:
        return found[0] if self._leads_on("POST", found["head"]) else ""

    def link(self, found: re.Match[str]) -> str:
        if self._leads_on("GET", found["head"]):
            return found[0]
        return "" if _IS_BUTTON.search(found["head"]) else found["inside"]

    def _leads_on(self, method: str, head: str) -> bool:
        address = _ADDRESS.search(head)
        if address is None or not address[1].startswith("/"):
            return True
        rules = rules_at(unquote(urlsplit(address[1]).path)).get(method, ())
        return all(rule.allows(self._principal) for rule in rules)
