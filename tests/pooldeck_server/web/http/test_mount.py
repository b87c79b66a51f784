"""A server below a path of a host that it shares."""

import re
from collections.abc import Iterator

import httpx
import pytest

from pooldeck_server.remote.server import RemoteServer
from pooldeck_server.web.http.mount import place_headers, place_page
from tests.pooldeck_server.web.conftest import TOKEN
from tests.support.no_tls import NO_TLS
from tests.support.served import WEB_FUNCTIONS, Served, served
from tests.support.walking import addresses, walked

PREFIX = {"X-Forwarded-Prefix": "/deck"}


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that believes what this machine says of a proxy, with tasks of several kinds."""
    folder = tmp_path_factory.mktemp("behind")
    with served(folder, access="open", trusted_proxies="127.0.0.1") as server:
        server.submit("add", 1, 2)
        server.submit("fail", "there is no such thing")
        server.submit("die", 9)
        steps = {"a": {"function": f"{WEB_FUNCTIONS}.echo", "args": [1]}}
        server.http.post("/api/v1/pipelines", json={"tasks": steps}).raise_for_status()
        yield server


@pytest.fixture(scope="module")
def below(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with a token that is told by a setting where it stands."""
    with served(tmp_path_factory.mktemp("below"), root_path="/deck", token=TOKEN) as server:
        yield server


class Proxy(httpx.BaseTransport):
    """Takes the prefix away, as a proxy does, and has nothing elsewhere."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.decode()
        assert path.startswith("/deck/"), f"{path} is not below /deck"
        url = request.url.copy_with(raw_path=path.removeprefix("/deck").encode())
        headers = [*request.headers.raw, (b"X-Forwarded-Prefix", b"/deck")]
        return self._inner.handle_request(
            httpx.Request(request.method, url, headers=headers, stream=request.stream)
        )

    def close(self) -> None:
        self._inner.close()


def behind_proxy(server: Served) -> httpx.Client:
    base = f"http://127.0.0.1:{server.port}"
    return httpx.Client(base_url=base, transport=Proxy(), timeout=30, verify=NO_TLS)


def test_no_page_has_a_link_that_leaves_the_prefix(behind: Served) -> None:
    with behind_proxy(behind) as browser:
        paths = set()
        for path, answer in walked(browser, "/deck/"):
            assert answer.status_code == 200, (path, answer.text)
            outside = [each for each in addresses(answer.text) if not each.startswith("/deck/")]
            assert outside == [], path
            paths.add(path.partition("?")[0])
        screens = {match[1] for path in paths if (match := re.match(r"/deck/(\w+)", path))}
        assert screens >= {"tasks", "errors", "incidents", "functions", "pools", "pipelines"}
        assert len(paths) > 15


def test_what_a_page_loads_is_there(behind: Served) -> None:
    with behind_proxy(behind) as browser:
        page = browser.get("/deck/").text
        files = {each for each in addresses(page) if "/static/" in each}
        assert any(each.endswith("stream_worker.js") for each in files)
        for path in files:
            answer = browser.get(path.partition("#")[0])
            assert answer.status_code == 200, path
            assert "immutable" in answer.headers["cache-control"]


def test_two_prefixes_and_none_are_served_at_once(behind: Served) -> None:
    for root in ("/deck", "/tasks", ""):
        headers = {"X-Forwarded-Prefix": root} if root else {}
        page = behind.http.get("/functions", headers=headers).text
        assert f'href="{root}/functions/{WEB_FUNCTIONS}.add"' in page
        done = behind.http.post("/pools/io/pause", headers=headers)
        assert done.headers["location"].startswith(f"{root}/pools?did=paused")
        assert behind.http.post("/pools/io/resume", headers=headers).status_code == 303


def test_redirects_and_locations_keep_the_prefix(behind: Served) -> None:
    accepted = behind.http.post(
        "/api/v1/tasks",
        json={"function": f"{WEB_FUNCTIONS}.add", "args": [1]},
        headers=PREFIX,
    )
    assert accepted.headers["location"] == f"/deck/api/v1/tasks/{accepted.json()['id']}"
    chosen = behind.http.post(
        "/language", data={"language": "zh-Hans", "next": "/tasks?q=a"}, headers=PREFIX
    )
    assert chosen.headers["location"] == "/deck/tasks?q=a"
    assert "; Path=/deck;" in chosen.headers["set-cookie"]
    slash = behind.http.get("/tasks/", headers=PREFIX)
    assert slash.headers["location"].endswith("/deck/tasks")


def test_a_form_sends_people_back_to_where_they_were(behind: Served) -> None:
    page = behind.http.get("/tasks?q=add", headers=PREFIX).text
    (wanted,) = set(re.findall(r'name="next" value="([^"]*)"', page))
    chosen = behind.http.post("/language", data={"next": wanted}, headers=PREFIX)
    assert chosen.headers["location"] == "/deck/tasks?q=add"


def test_the_description_of_the_api_names_the_prefix(behind: Served) -> None:
    assert behind.http.get("/openapi.json", headers=PREFIX).json()["servers"] == [{"url": "/deck"}]
    assert "servers" not in behind.http.get("/openapi.json").json()


def test_a_page_that_is_not_there_leads_back_below_the_prefix(behind: Served) -> None:
    for path in ("/nothing", f"{behind.app.state.static_path}/nothing.js"):
        answer = behind.http.get(path, headers={**PREFIX, "accept": "text/html"})
        assert answer.status_code == 404
        assert 'href="/deck/"' in answer.text
        assert f'"/deck{behind.app.state.static_path}/css/all.css"' in answer.text


@pytest.mark.parametrize("prefix", ["//elsewhere", "/..", "https://elsewhere", '/"x', "/\\x"])
def test_a_prefix_that_leads_elsewhere_is_refused(behind: Served, prefix: str) -> None:
    answer = behind.http.get("/tasks", headers={"X-Forwarded-Prefix": prefix})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "X-Forwarded-Prefix" in answer.json()["detail"]
    assert "content-security-policy" in answer.headers


def test_a_prefix_from_a_stranger_counts_for_nothing(server: Served) -> None:
    assert '"/deck/' not in server.http.get("/", headers=PREFIX).text


def test_a_login_stays_below_the_prefix_of_the_setting(below: Served) -> None:
    with httpx.Client(
        base_url=f"http://127.0.0.1:{below.port}", timeout=30, verify=NO_TLS
    ) as browser:
        sent_away = browser.get("/deck/tasks?q=a")
        assert sent_away.headers["location"] == "/deck/login?next=/tasks%3Fq%3Da"
        form = browser.get(sent_away.headers["location"])
        assert 'action="/deck/login"' in form.text
        entered = browser.post("/deck/login", data={"token": TOKEN, "next": "/tasks?q=a"})
        assert entered.headers["location"] == "/deck/tasks?q=a"
        assert "; Path=/deck;" in entered.headers["set-cookie"]
        assert browser.get("/deck/tasks?q=a").status_code == 200
        assert browser.get("/deck").status_code == 200
        assert browser.post("/deck/logout").headers["location"] == "/deck/login"
        assert browser.get("/deck/").status_code == 303


def test_a_proxy_may_leave_the_prefix_or_take_it_away(below: Served) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    for path in ("/deck/api/v1/pools", "/api/v1/pools", "/deck/healthz", "/healthz"):
        assert below.http.get(path, headers=bearer).status_code == 200
    assert 'href="/deck/tasks"' in below.http.get("/", headers=bearer).text


def test_the_command_line_finds_a_server_below_a_path(below: Served) -> None:
    with RemoteServer(f"http://127.0.0.1:{below.port}/deck/", TOKEN) as server:
        assert {pool["name"] for pool in server.get("/pools")["items"]} >= {"cpu", "io"}


def test_the_cookie_of_another_server_on_the_host_does_no_harm(below: Served) -> None:
    """A browser sends that of the longer path first, whichever it is."""
    entered = below.http.post("/deck/login", data={"token": TOKEN})
    own = entered.headers["set-cookie"].partition(";")[0]
    for both in (f"{own}; pooldeck=of.the.root", f"pooldeck=of.a.page; {own}"):
        assert below.http.get("/deck/tasks", headers={"Cookie": both}).status_code == 200


def test_only_addresses_get_the_prefix() -> None:
    page = (
        '<a href="/tasks" title="/x" data-wanted="/y">href=&#34;/z</a><a href="//w"><a href="?q">'
    )
    assert place_page(page, "/a/b") == page.replace("/tasks", "/a/b/tasks")
    assert place_page(page, "") == page


def test_only_redirects_to_paths_and_cookies_get_the_prefix() -> None:
    headers = [
        (b"location", b"/tasks"),
        (b"set-cookie", b"a=b; HttpOnly; Path=/; SameSite=strict"),
        (b"link", b"/tasks"),
    ]
    assert place_headers(headers, "/deck") == [
        (b"location", b"/deck/tasks"),
        (b"set-cookie", b"a=b; HttpOnly; Path=/deck; SameSite=strict"),
        (b"link", b"/tasks"),
    ]
    elsewhere = [(b"location", b"http://127.0.0.1/deck/tasks")]
    assert place_headers(elsewhere, "/deck") == elsewhere
