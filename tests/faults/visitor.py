"""Somebody who looks around: from link to link, over whatever pages there are."""

from html.parser import HTMLParser
from random import Random

import httpx

from tests.faults.deployment import BOUND, Deployment
from tests.support.no_tls import NO_TLS


def visited(deployment: Deployment, chance: Random, most: int) -> list[str]:
    """Visit up to `most` pages, the first page first; return which did not answer as they should.

    Args:
        deployment: Whose pages.
        chance: Chooses where to go next.
        most: How many.
    """
    wrong, seen, ahead = [], {"/"}, ["/"]
    with httpx.Client(
        base_url=deployment.url, timeout=BOUND, trust_env=False, verify=NO_TLS
    ) as browser:
        for _ in range(most):
            if not ahead:
                break
            page = ahead.pop(chance.randrange(len(ahead)))
            answer = browser.get(page, follow_redirects=True)
            if answer.is_error and not _is_just_gone(page, answer):
                wrong.append(f"{page} answered {answer.status_code}")
            found = _links(answer.text) - seen
            seen |= found
            ahead += sorted(found)
    return wrong


def _is_just_gone(page: str, answer: httpx.Response) -> bool:
    """Tell whether a page is about what was there when another page led to it."""
    if page.startswith("/workers/"):
        return answer.status_code == httpx.codes.NOT_FOUND
    return answer.status_code == httpx.codes.CONFLICT


def _links(page: str) -> set[str]:
    links = _Links()
    links.feed(page)
    return links.found


class _Links(HTMLParser):
    """Collects where the links of a page lead, within the server."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        target = dict(attrs).get("href") or ""
        if tag == "a" and target.startswith("/"):
            self.found.add(target.partition("#")[0])
