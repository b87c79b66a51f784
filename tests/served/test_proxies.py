"""The recipes of docs/proxies.md, as they stand there, with the real programs."""

import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests import FUNCTIONS, ROOT
from tests.support.programs import started
from tests.support.serving import Serving, serving
from tests.support.waiting import eventually
from tests.support.walking import addresses, walked

TOKEN = "a-token-of-the-tests-long-enough"
DOCUMENT = (ROOT / "docs/proxies.md").read_text()
NAME = "deck.example"
UPSTREAM = "127.0.0.1:8000"
LANGUAGES = {"nginx": "nginx", "caddy": "caddyfile"}
SEARCHED = "/usr/sbin:/usr/bin:/usr/local/bin"
ORIGIN = {"Origin": f"http://{NAME}"}  # what a browser adds to forms
_NGINX = """
daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    {recipe}
}}
"""
_CADDY = """
{{
	admin off
	auto_https off
}}
{recipe}
"""


def recipe(language: str) -> str:
    """Return the first block of the document in a language."""
    found = re.search(rf"^```{language}\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[1]


def adapted(text: str, changes: dict[str, str]) -> str:
    """Return a recipe for the ports of a test; what is changed has to stand there."""
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


def nginx(folder: Path, port: int, upstream: str, text: str) -> list[str]:
    changes = {"listen 80;": f"listen 127.0.0.1:{port};", UPSTREAM: upstream}
    configuration = folder / "nginx.conf"
    configuration.write_text(_NGINX.format(folder=folder, recipe=adapted(text, changes)))
    return ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(configuration)]


def caddy(folder: Path, port: int, upstream: str, text: str) -> list[str]:
    site = f"http://{NAME}:{port} {{\n\tbind 127.0.0.1"
    changes = {f"{NAME} {{": site, UPSTREAM: upstream}
    configuration = folder / "Caddyfile"
    configuration.write_text(_CADDY.format(recipe=adapted(text, changes)))
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(configuration)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """Serve with what the document says of Pooldeck's side."""
    folder = tmp_path_factory.mktemp("deck")
    (folder / "pooldeck.toml").write_text(recipe("toml") + 'functions = ["web_functions"]\n')
    environment = {"POOLDECK_TOKEN": TOKEN, "PYTHONPATH": str(FUNCTIONS)}
    with serving(folder, environment=environment) as running:
        running.wait_until_ready()
        yield running


@pytest.fixture(scope="module", params=LANGUAGES)
def proxy(
    request: pytest.FixtureRequest, server: Serving, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """Run a proxy in front of the server; yield its port."""
    program: str = request.param
    if shutil.which(program, path=SEARCHED) is None:
        pytest.skip(f"there is no {program} here")
    folder, text = tmp_path_factory.mktemp(program), recipe(LANGUAGES[program])
    with proxied(program, folder, server, text) as port:
        yield port


@contextmanager
def proxied(program: str, folder: Path, server: Serving, text: str) -> Iterator[int]:
    """Run `program` with a recipe in front of the server; yield the port at which it listens."""
    port = free_port()
    upstream = f"127.0.0.1:{server.client.base_url.port}"
    command = {"nginx": nginx, "caddy": caddy}[program](folder, port, upstream, text)
    environment = {"PATH": SEARCHED, "HOME": str(folder)}
    with (
        (folder / "said").open("w") as said,
        started(command, env=environment, cwd=folder, stdout=said, stderr=said) as process,
    ):
        eventually(lambda: listens(port) or process.poll() is not None, f"{program} listens")
        assert process.poll() is None, (folder / "said").read_text()
        yield port


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def listens(port: int) -> bool:
    with socket.socket() as connection:
        return connection.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def browser(proxy: int) -> Iterator[httpx.Client]:
    """A client that keeps cookies, and asks for the host that the document names."""
    with httpx.Client(
        base_url=f"http://127.0.0.1:{proxy}", headers={"Host": NAME}, timeout=60, trust_env=False
    ) as client:
        yield client


def logged_in(browser: httpx.Client) -> None:
    entered = browser.post("/deck/login", data={"token": TOKEN, "next": "/tasks"}, headers=ORIGIN)
    assert (entered.status_code, entered.headers["location"]) == (303, "/deck/tasks")
    assert "; Path=/deck;" in entered.headers["set-cookie"]


def test_a_person_logs_in_and_stays_below_the_path(browser: httpx.Client) -> None:
    assert browser.get("/deck").headers["location"].endswith("/deck/")
    sent_away = browser.get("/deck/")
    assert sent_away.headers["location"] == "/deck/login?next=/"
    logged_in(browser)
    for path, answer in walked(browser, "/deck/"):
        assert answer.status_code == 200, path
        assert [each for each in addresses(answer.text) if not each.startswith("/deck/")] == []
    left = browser.post("/deck/logout", headers=ORIGIN)
    assert left.headers["location"] == "/deck/login"


def test_a_form_submits_a_task_and_leads_to_it(browser: httpx.Client) -> None:
    logged_in(browser)
    form = {"arg.a": "1", "arg.b": "2"}
    sent = browser.post("/deck/functions/web_functions.add", data=form, headers=ORIGIN)
    assert sent.status_code == 303, sent.text
    assert sent.headers["location"].startswith("/deck/tasks/")
    assert browser.get(sent.headers["location"]).status_code == 200


def test_the_stream_is_live(browser: httpx.Client) -> None:
    logged_in(browser)
    with browser.stream("GET", "/deck/api/v1/events") as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        events = (line for line in stream.iter_lines() if line.startswith("event: "))
        assert [next(events), next(events)] == ["event: deck"] * 2


def test_a_program_follows_the_location_of_its_task(browser: httpx.Client) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    body = {"function": "web_functions.echo", "args": ["hello"]}
    sent = browser.post("/deck/api/v1/tasks", params={"wait": 30}, json=body, headers=bearer)
    assert sent.json()["result"] == "hello"
    assert browser.get(sent.headers["location"], headers=bearer).json()["id"] == sent.json()["id"]
    assert browser.get("/deck/openapi.json", headers=bearer).json()["servers"] == [{"url": "/deck"}]


def test_what_a_client_claims_to_be_forwarded_counts_for_nothing(browser: httpx.Client) -> None:
    forged = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Prefix": "/evil",
        "Forwarded": "for=203.0.113.9;host=evil.example;proto=https",
    }
    entered = browser.post("/deck/login", data={"token": TOKEN}, headers=ORIGIN | forged)
    assert (entered.status_code, entered.headers["location"]) == (303, "/deck/")
    assert "secure" not in entered.headers["set-cookie"].lower()
    wrong = {"Authorization": "Bearer a wrong one, long enough"} | forged
    answers = [browser.get("/deck/api/v1/pools", headers=wrong) for _ in range(40)]
    refused = next(each for each in answers if each.status_code == 429)
    assert "127.0.0.1" in refused.json()["detail"]


def test_a_large_body_and_a_wait_come_through(browser: httpx.Client) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    tasks = [{"function": "web_functions.echo", "args": ["x" * 500_000]}] * 12
    batch = browser.post("/deck/api/v1/tasks/batch", json={"tasks": tasks}, headers=bearer)
    assert batch.status_code == 202, batch.text


def test_the_terminal_names_the_real_client(tmp_path: Path) -> None:
    environment = {"POOLDECK_TRUSTED_PROXIES": "127.0.0.1", "POOLDECK_TOKEN": TOKEN}
    with serving(tmp_path, "--verbose", environment=environment) as server:
        wrong = {"Authorization": "Bearer a wrong one, long enough", "X-Forwarded-For": "192.0.2.7"}
        assert server.client.get("/api/v1/pools", headers=wrong).status_code == 401
        server.stop()
    told = [line for line in server.said if "192.0.2.7" in line]
    assert any("a wrong token came from" in line for line in told)
    assert any("GET /api/v1/pools" in line for line in told)


def test_a_proxy_that_hides_the_host_is_refused_with_what_to_write(
    server: Serving, tmp_path: Path
) -> None:
    """What nginx sends of itself is the name in `proxy_pass`."""
    if shutil.which("nginx", path=SEARCHED) is None:
        pytest.skip("there is no nginx here")
    lines = recipe("nginx").splitlines(keepends=True)
    bare = "".join(line for line in lines if "Host" not in line)
    with proxied("nginx", tmp_path, server, bare) as port:
        address = f"http://127.0.0.1:{port}/deck/login"
        answer = httpx.post(
            address, data={"token": TOKEN}, headers={"Host": NAME, "Origin": "http://other.example"}
        )
    assert answer.status_code == 403
    assert 'allowed_hosts = ["other.example"]' in answer.json()["detail"]
