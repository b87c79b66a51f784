"""Who comes in on loopback where no token is set: the server's own user, by the kernel's word."""

import json
import os
import pty
import re
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pooldeck.client.places import LocalServer, local_server, runtime_folders
from tests import FUNCTIONS
from tests.support import other_users
from tests.support.no_tls import NO_TLS, PATIENCE
from tests.support.other_users import needs_root
from tests.support.serving import COMMAND, Serving, serving

POOLS = "/api/v1/pools"
ADD = {"function": "web_functions.add", "args": [1, 2]}
FORWARDED = [
    {"Forwarded": "for=192.0.2.1"},
    {"Via": "1.1 proxy"},
    {"X-Forwarded-For": "127.0.0.1"},
    {"X-Forwarded-Host": "localhost"},
    {"X-Forwarded-Anything": ""},
    {"X-Real-IP": "127.0.0.1"},
]
ASK = """
host, port, method, path, times = sys.argv[1:6]
headers = json.loads(sys.argv[6])
connection = http.client.HTTPConnection(host, int(port))
said = []
for _ in range(int(times)):
    connection.request(method, path, headers=headers)
    answer = connection.getresponse()
    said.append([answer.status, answer.getheader("location"), answer.read().decode()])
print(json.dumps(said))
"""
SEND_AND_CLOSE = """
host, port = sys.argv[1], int(sys.argv[2])
body = sys.argv[3].encode()
head = f"POST /api/v1/tasks HTTP/1.1\\r\\nHost: {host}\\r\\nContent-Type: application/json\\r\\n"
request = f"{head}Content-Length: {len(body)}\\r\\n\\r\\n".encode() + body
for number in range(200):
    connection = socket.create_connection((host, port))
    if number % 2:  # a close that waits for nothing, and one in good order
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.sendall(request)
    connection.close()
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    environment = {"POOLDECK_FUNCTIONS": "web_functions", "PYTHONPATH": str(FUNCTIONS)}
    with serving(tmp_path_factory.mktemp("local"), "-v", environment=environment) as server:
        server.wait_until_ready()
        yield server


def folder(server: Serving) -> Path:
    """Return the data folder of a server."""
    return Path(f"/proc/{server.process.pid}/cwd").resolve() / "pooldeck-data"


def link(server: Serving) -> str:
    """Return a new link, as the command prints it."""
    data = str(folder(server))
    done = subprocess.run(
        [*COMMAND, "link", "--data", data], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def as_another(
    server: Serving, method: str, path: str, times: int = 1, **headers: str
) -> list[tuple[int, str | None, str]]:
    """Return status, location and body of the answers that another user gets by one connection."""
    url = server.client.base_url
    given = (str(times), json.dumps(headers))
    said = other_users.run(ASK, url.host, str(url.port), method, path, *given)
    return [(status, place, body) for status, place, body in json.loads(said)]


def test_the_servers_own_user_needs_no_token(local: Serving) -> None:
    assert local.client.get(POOLS).status_code == 200
    page = local.client.get("/")
    assert page.status_code == 200
    assert "owner, admin" in page.text
    assert "Log out" not in page.text


@needs_root
def test_another_user_is_asked_for_a_token_with_each_request(local: Serving) -> None:
    answers = as_another(local, "GET", POOLS, times=3)
    assert [status for status, _, _ in answers] == [401, 401, 401]
    assert "authorization" in json.loads(answers[0][2])["detail"]
    assert str(folder(local)) not in answers[0][2]
    for method, path in (("POST", "/api/v1/tasks"), ("DELETE", "/api/v1/tokens/x")):
        assert as_another(local, method, path)[0][0] == 401
    [(status, place, _)] = as_another(local, "GET", "/tasks")
    assert (status, place) == (303, "/login?next=/tasks")
    [(status, _, page)] = as_another(local, "GET", "/login")
    assert status == 200
    assert "pooldeck link" in page
    assert as_another(local, "GET", "/healthz")[0][0] == 200


@needs_root
def test_who_closes_at_once_does_not_pass_for_root(local: Serving) -> None:
    """The kernel says of a socket whose program has closed it that it is root's."""
    url, tagged = local.client.base_url, {**ADD, "tags": ["of-another"]}
    other_users.run(SEND_AND_CLOSE, url.host, str(url.port), json.dumps(tagged))
    own = local.client.post("/api/v1/tasks", params={"wait": 60}, json=ADD)  # behind all of these
    assert own.status_code == 200
    assert local.client.get("/api/v1/tasks", params={"tag": "of-another"}).json()["items"] == []


@pytest.mark.parametrize("header", FORWARDED, ids=lambda header: next(iter(header)))
def test_what_somebody_has_passed_on_needs_a_token(local: Serving, header: dict[str, str]) -> None:
    """On one connection, as proxies keep it: each request is looked at by itself."""
    for _ in range(2):
        assert local.client.get(POOLS, headers=header).status_code == 401
        assert local.client.get(POOLS).status_code == 200


def test_a_wrong_token_is_not_made_good_by_who_sends_it(local: Serving) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    answer = local.client.get(POOLS, headers=wrong)
    assert answer.status_code == 401
    assert "the token that was sent is not known here" in answer.json()["detail"]


def test_other_pages_are_kept_out_as_before(local: Serving) -> None:
    elsewhere = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert local.client.post("/api/v1/tasks", json=ADD, headers=elsewhere).status_code == 403
    rebound = {"Host": "evil.example"}
    assert local.client.get(POOLS, headers=rebound).status_code == 421


def test_programs_get_in_by_the_file_of_the_header(local: Serving) -> None:
    path = folder(local) / "authorization"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    name, _, value = path.read_text().strip().partition(": ")
    passed_on = {name: value, "Via": "1.1 proxy"}
    assert local.client.get(POOLS, headers=passed_on).status_code == 200
    assert local.client.get("/api/v1/tokens", headers=passed_on).status_code == 200


@needs_root
def test_another_user_with_the_token_comes_in_as_the_owner(local: Serving) -> None:
    header = (folder(local) / "authorization").read_text().strip().partition(": ")[2]
    assert as_another(local, "GET", POOLS, Authorization=header)[0][0] == 200


def test_a_client_finds_the_token_beside_the_port(local: Serving) -> None:
    url = local.client.base_url
    found = local_server(url.port or 0)
    expected = LocalServer(str(url), found.token if found else "", local.process.pid, "")
    assert found is not None
    assert (found.url, found.pid) == (expected.url.rstrip("/"), expected.pid)
    assert Path(found.data) == folder(local)
    bearer = {"Authorization": f"Bearer {found.token}", "Via": "1.1 proxy"}
    assert local.client.get(POOLS, headers=bearer).status_code == 200


def test_a_link_lets_a_browser_in_once(local: Serving) -> None:
    address = link(local)
    passed_on = {"Via": "1.1 proxy"}
    with httpx.Client(
        headers=passed_on, trust_env=False, timeout=PATIENCE, verify=NO_TLS
    ) as browser:
        base = local.client.base_url
        assert browser.get(base.join("/")).status_code == 303
        entered = browser.get(address)
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        assert "once" not in str(browser.cookies)
        page = browser.get(base.join("/"))
        assert page.status_code == 200
        assert "Log out" in page.text
        reopened = browser.get(address)
        assert (reopened.status_code, reopened.headers["location"]) == (303, "/")
        assert browser.get(base.join("/")).status_code == 200
        with httpx.Client(
            headers=passed_on, trust_env=False, timeout=PATIENCE, verify=NO_TLS
        ) as second:
            again = second.get(address)
            assert again.status_code == 401
            assert "was used, or is too old" in again.text
            assert "set-cookie" not in again.headers
        assert browser.post(base.join("/logout")).status_code == 303
        assert browser.get(base.join("/")).status_code == 303


@needs_root
def test_a_link_lets_another_user_in_once(local: Serving) -> None:
    address = link(local).partition(str(local.client.base_url).rstrip("/"))[2]
    [(status, place, _)] = as_another(local, "GET", address)
    assert (status, place) == (303, "/")
    [(status, _, _)] = as_another(local, "GET", address)
    assert status == 401


def test_a_person_at_a_terminal_is_told_how_to_log_in(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    server = subprocess.Popen(
        [*COMMAND, "serve", "--port", "0", "--data", str(tmp_path)],
        cwd=tmp_path,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    said = b""
    try:
        while not (found := re.search(rb"http://[\d.:]+/login\?once=[\w-]+", said)):
            said += os.read(ours, 4096)
        with httpx.Client(trust_env=False, timeout=PATIENCE, verify=NO_TLS) as browser:
            assert browser.get(found[0].decode()).status_code == 303
    finally:
        server.terminate()
        server.wait(120)
        os.close(ours)


def test_what_opens_the_server_goes_with_it_and_its_links_are_in_no_log(tmp_path: Path) -> None:
    with serving(tmp_path, "-v", "--host", "::1") as server:
        assert server.client.get(POOLS).status_code == 200  # by IPv6 as well
        address = link(server)
        assert server.client.get(address).status_code == 303
        used = address.partition("=")[2]
        port = server.client.base_url.port
        files = [folder(server) / "authorization", runtime_folders()[0] / f"{port}.json"]
        assert all(path.exists() for path in files)
        assert server.stop() == 0
    assert [path for path in files if path.exists()] == []
    said = "".join(server.said)
    assert '"GET /login"' in said
    assert "once=" not in said
    assert used not in said
    header = "Authorization: Bearer"
    assert header not in said


def test_with_tokens_there_are_neither_files_nor_links(tmp_path: Path) -> None:
    with serving(tmp_path, environment={"POOLDECK_ACCESS": "tokens"}) as server:
        assert server.client.get(POOLS).status_code == 401
        assert not (folder(server) / "authorization").exists()
        assert local_server(server.client.base_url.port or 0) is None
        done = subprocess.run(
            [*COMMAND, "link", "--data", str(folder(server))],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "pooldeck token create" in done.stderr
        server.stop()
    assert "once=" not in "".join(server.said)


@needs_root
def test_an_open_server_lets_everybody_in_and_says_so(tmp_path: Path) -> None:
    with serving(tmp_path, environment={"POOLDECK_ACCESS": "open"}) as server:
        assert as_another(server, "GET", POOLS)[0][0] == 200
        page = server.client.get("/").text
        assert "each user and each program of this machine may do everything" in page
        assert not (folder(server) / "authorization").exists()
