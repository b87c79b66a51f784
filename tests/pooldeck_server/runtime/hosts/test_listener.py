"""Who dials and is not taken is told why, is shown with the reason, and hurts nobody."""

import asyncio
import secrets
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pooldeck.hosts.machine import this_machine, versions
from pooldeck.hosts.stream import FrameStream
from pooldeck.hosts.wire import FromServer, Hello, NotTaken, Over, Renew, encode, from_server
from pooldeck_server.domain.access import Role
from tests.support.certificates import Authority, Signed
from tests.support.host_processes import (
    host_process,
    host_token,
    hosts_settings,
    place_of,
    pool_of,
    wait_for_workers,
)
from tests.support.served import Served, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("data"), **hosts_settings()) as found:
        yield found


@pytest.fixture(scope="module")
def token(server: Served) -> str:
    return host_token(server.settings.socket)


def hello(token: str, name: str, **changes: Any) -> Hello:
    """Return how a host introduces itself that is taken."""
    found = Hello(token, "big", name, secrets.token_hex(8), this_machine(), versions())
    return replace(found, **changes)


def dial(
    server: Served, said: bytes, context: ssl.SSLContext | None = None, name: str | None = None
) -> FromServer | None:
    """Return what a server answers to the first word of what dials it, by a name."""

    async def talk() -> FromServer | None:
        host, port = place_of(server).split(":")
        stream = await FrameStream.connect(name or host, int(port), context)
        stream.send(0, said)
        received = await stream.receive()
        stream.close()
        return None if received is None else from_server(received[1])

    return asyncio.run(talk())


def refusal(server: Served, word: Hello) -> str:
    """Return why a host is refused, which its pool says too."""
    answer = dial(server, encode(word))
    assert isinstance(answer, NotTaken)
    shown = {host["name"]: host["reason"] for host in pool_of(server)["hosts"]}
    assert shown[word.name] == answer.why
    return answer.why


def test_a_token_that_is_none_lets_nobody_in(server: Served) -> None:
    assert "its token is none of this server's" in refusal(server, hello("pdk_no", "stranger"))


def test_a_token_of_an_operator_runs_no_hosts(server: Served) -> None:
    wrong = host_token(server.settings.socket, "ann", Role.OPERATOR)

    assert "its token (ann, operator) may not run hosts of pool big" in refusal(
        server, hello(wrong, "host-of-ann")
    )


def test_another_version_of_pooldeck_is_refused(server: Served, token: str) -> None:
    old = hello(token, "old", versions=versions() | {"pooldeck": "0.0.1"})

    assert refusal(server, old).startswith("it has Pooldeck 0.0.1, and the server has ")


def test_another_python_is_refused(server: Served, token: str) -> None:
    other = hello(token, "other", versions=versions() | {"python": "3.99.1"})

    assert refusal(server, other).startswith("it runs CPython 3.99, and the server CPython 3.")


def test_a_host_of_a_pool_that_is_not_on_hosts_is_shown_on_those_that_are(
    server: Served, token: str
) -> None:
    why = "there is no pool io on hosts; those on hosts: big, solo"

    assert dial(server, encode(hello(token, "host-x", pool="io"))) == NotTaken(why)

    for pool in ("big", "solo"):
        (shown,) = [each for each in pool_of(server, pool)["hosts"] if each["name"] == "host-x"]
        assert (shown["state"], shown["reason"]) == ("refused", why)
        notices = server.http.get("/api/v1/notices").json()["items"]
        said = [each["text"] for each in notices if each["subject"] == "host-x"]
        assert f"is a host that was refused by {pool}: {why}" in said
    assert pool_of(server, "io")["hosts"] is None


def test_a_host_of_one_pool_is_not_shown_as_refused_by_another(server: Served) -> None:
    refusal(server, hello("pdk_no", "mine"))

    assert "mine" not in [each["name"] for each in pool_of(server, "solo")["hosts"]]


def test_a_host_of_an_earlier_run_is_told_that_it_is_over(server: Served, token: str) -> None:
    late = hello(token, "late", deck="0" * 8, term=1, rejoin=True)

    assert dial(server, encode(late)) == Over("the server was started anew")


@pytest.mark.parametrize(
    "said",
    [
        encode(Renew(1, 1)),
        b"GET / HTTP/1.1",
        encode(hello("x", "<b>")),
        encode(hello("x", "a" * 5000)),
        encode(hello("x", "host", versions={"python": "x" * 5000})),
    ],
)
def test_what_is_no_word_of_a_host_ends_its_connection(server: Served, said: bytes) -> None:
    assert dial(server, said) is None


def test_who_dials_and_says_nothing_keeps_no_host_out(server: Served, token: str) -> None:
    host, port = place_of(server).split(":")

    async def crowd() -> None:
        lines = [await asyncio.open_connection(host, int(port)) for _ in range(20)]
        word = encode(hello(token, "host-y", versions={}))
        assert isinstance(await asyncio.to_thread(dial, server, word), NotTaken)
        for _, writer in lines:
            writer.close()

    asyncio.run(crowd())


def test_hosts_that_were_refused_leave_the_other_pools_alone(server: Served) -> None:
    assert server.submit("add", 1, 2, pool="io").json()["result"] == 3


def test_over_tls_a_host_is_taken_that_trusts_the_server_and_is_trusted(tmp_path: Path) -> None:
    mine, others = Authority(tmp_path / "mine"), Authority(tmp_path / "others", "others")
    shown, of_host, wrong = mine.sign("server"), mine.sign("host"), others.sign("wrong")
    tls = {"certificate": shown.certificate, "key": shown.key, "host_authority": mine.file}
    with served(tmp_path / "data", **hosts_settings(**tls)) as server:
        place, token = place_of(server), host_token(server.settings.socket)

        def refused(authority: Path, shown: Signed | None, name: str | None = None) -> str:
            """Return what is said of a host that does not get in."""
            context = ssl.create_default_context(cafile=authority)
            if shown is not None:
                context.load_cert_chain(*shown)
            with suppress(OSError):
                assert dial(server, encode(hello(token, "host-t")), context, name) is None
            (reason,) = {host["reason"] for host in pool_of(server)["hosts"]}
            return str(reason)

        assert "its authority is another one" in refused(others.file, of_host)
        assert "the name that it dials is not" in refused(mine.file, of_host, "localhost")
        assert "is not signed by the host_authority" in refused(mine.file, wrong)
        assert "it shows no certificate" in refused(mine.file, None)
        with host_process(
            tmp_path,
            "host-t",
            place,
            token,
            POOLDECK_AUTHORITY=str(mine.file),
            POOLDECK_CERTIFICATE=str(of_host.certificate),
            POOLDECK_KEY=str(of_host.key),
        ):
            wait_for_workers(server, 2)
            assert server.submit("add", 1, 2, pool="big").json()["result"] == 3


def test_without_tls_nobody_gets_into_a_server_that_wants_it(tmp_path: Path) -> None:
    shown = Authority(tmp_path).sign("server")
    tls = {"certificate": shown.certificate, "key": shown.key}
    with served(tmp_path / "data", **hosts_settings(**tls)) as server:
        word = encode(hello(host_token(server.settings.socket), "plain"))
        with suppress(OSError):
            assert dial(server, word) is None
        reasons = [host["reason"] for host in pool_of(server)["hosts"]]
        assert reasons == ["it speaks no TLS, and this server wants it"]
