"""How tests read pages over HTTP: their HTML, their words, their forms."""

import html
import re

import httpx

from tests.support.waiting import eventually


def page(client: httpx.Client, path: str, status: int = 200) -> str:
    """Return a page's HTML with each run of white space as one blank."""
    answer = client.get(path)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("text/html")
    return " ".join(answer.text.split())


def page_with(client: httpx.Client, path: str, words: str) -> str:
    """Return a page as soon as `words` are on it; its picture may be a moment old."""
    markup = ""

    def has_words() -> bool:
        nonlocal markup
        markup = page(client, path)
        return words in markup

    eventually(has_words, f"{words} appears")
    return markup


def text_of(markup: str) -> str:
    """Return what stands on a page, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def post(client: httpx.Client, path: str, **values: str) -> httpx.Response:
    """Send a form as a browser does."""
    origin = {"origin": str(client.base_url).rstrip("/"), "sec-fetch-site": "same-origin"}
    return client.post(path, data=values, headers=origin)
