"""How pages and their files travel: compressed, kept by browsers, and asked for all at once."""

import gzip
import re
from collections.abc import Iterator

import httpx
import pytest

from pooldeck_server.resources import resource
from pooldeck_server.web.http.modules import graph, imported_by
from tests.support.no_tls import NO_TLS
from tests.support.served import Served


@pytest.fixture
def plain(server: Served) -> Iterator[httpx.Client]:
    """Return a client that shows answers as they came, and takes gzip only if it says so."""
    headers = {"accept-encoding": "identity"}
    with httpx.Client(
        base_url=server.http.base_url, headers=headers, timeout=30, verify=NO_TLS
    ) as client:
        yield client


def raw(client: httpx.Client, path: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """Return an answer, and its body as it was on the wire."""
    with client.stream("GET", path, headers={"accept-encoding": "gzip"} | headers) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize("path", ["/", "/tasks", "/openapi.json"])
def test_pages_and_long_json_are_compressed(plain: httpx.Client, path: str) -> None:
    answer, body = raw(plain, path)
    assert answer.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in answer.headers["vary"].lower()
    assert int(answer.headers["content-length"]) == len(body)
    whole = plain.get(path)
    assert "content-encoding" not in whole.headers
    assert len(gzip.decompress(body)) > 3 * len(body)


def test_a_short_answer_is_not_worth_it(plain: httpx.Client) -> None:
    answer, _ = raw(plain, "/api/v1/tasks/nothing")
    assert "content-encoding" not in answer.headers


def test_the_event_stream_is_never_compressed(plain: httpx.Client) -> None:
    headers = {"accept-encoding": "gzip"}
    with plain.stream("GET", "/api/v1/events", headers=headers) as answer:
        assert "content-encoding" not in answer.headers
        assert next(answer.iter_raw()).startswith(b"retry: ")


@pytest.fixture
def static(server: Served) -> str:
    """Return the path of the static files."""
    path: str = server.app.state.static_path
    return path


def test_files_come_compressed_and_are_kept(plain: httpx.Client, static: str) -> None:
    answer, body = raw(plain, f"{static}/js/page.js")
    whole = (resource("static") / "js" / "page.js").read_bytes()
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert plain.get(f"{static}/js/page.js").content == whole
    answer, body = raw(plain, f"{static}/js/refresh.js")
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == (resource("static") / "js" / "refresh.js").read_bytes()


def test_the_sheets_of_every_page_are_one_file(plain: httpx.Client, static: str) -> None:
    sheets = plain.get(f"{static}/css/all.css").text
    for name in ("base", "frame", "marks", "colours"):
        assert (resource("static") / "css" / f"{name}.css").read_text() in sheets


def test_the_words_of_a_language_are_a_script(plain: httpx.Client, static: str) -> None:
    answer = plain.get(f"{static}/words/zh-Hans.js")
    assert answer.text.startswith("globalThis.pooldeckWords = {")
    page = plain.get("/tasks", headers={"accept-language": "zh"}).text
    assert f'src="{static}/words/zh-Hans.js"' in page
    assert "/words/" not in plain.get("/tasks", headers={"accept-language": "en"}).text


@pytest.mark.parametrize(
    "path", ["/js/nothing.js", "/", "", "/../pyproject.toml", "/%2e%2e/pyproject.toml", "/css"]
)
def test_only_files_of_the_folder_are_served(plain: httpx.Client, static: str, path: str) -> None:
    assert plain.get(static + path, follow_redirects=True).status_code == 404


def test_files_are_only_read(plain: httpx.Client, static: str) -> None:
    origin = {"sec-fetch-site": "same-origin"}
    assert plain.post(f"{static}/js/page.js", headers=origin).status_code == 405
    assert plain.head(f"{static}/js/page.js").status_code == 200


def test_a_page_asks_for_all_of_its_modules_at_once(plain: httpx.Client, static: str) -> None:
    page = plain.get("/tasks").text
    asked = set(re.findall(rf'rel="modulepreload" href="{static}/js/([^"]+)"', page))
    assert asked == set(imported_by("page.js"))
    assert {"page.js", "live.js", "stream.js", "words.js"} <= asked


def test_a_graph_of_modules_is_followed_to_its_end_and_round() -> None:
    sources = {
        "a.js": 'import "./b.js";\nimport {\n  one,\n} from "./c.js";\n// import "./not.js";\n',
        "b.js": 'export { two } from "./c.js";\nconst text = "./not.js";\n',
        "c.js": 'import { a } from "./a.js";\n',
    }
    assert graph("a.js", sources) == ("a.js", "b.js", "c.js")
