"""A host that gets nowhere says in its own log what is wrong, by what its operator has set."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pooldeck.hosts.program import BadHostError, HostOptions, host_context
from tests.support.certificates import Authority
from tests.support.host_processes import host_token, hosts_settings, place_of
from tests.support.programs import started
from tests.support.served import served
from tests.support.waiting import eventually


@contextmanager
def host(folder: Path, name: str, place: str, token: str, **variables: Path) -> Iterator[Path]:
    """Run a host; give the path of its log."""
    told = {"POOLDECK_SERVER": place, "POOLDECK_TOKEN": token}
    more = {f"POOLDECK_{key.upper()}": str(value) for key, value in variables.items()}
    log = folder / f"{name}.log"
    command = [sys.executable, "-m", "pooldeck.hosts", "--pool", "big", "--name", name]
    command += ["--state", str(folder / "state")]
    with (
        log.open("wb") as file,
        started(command, env={**os.environ, **told, **more}, stderr=file) as process,
    ):
        yield log
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def says(log: Path, words: str) -> None:
    """Return when a log has the words."""
    eventually(lambda: words in log.read_text(), f"{log.name} says {words!r}", seconds=30)


def test_a_host_says_what_the_server_may_want_that_it_has_not(tmp_path: Path) -> None:
    mine, others = Authority(tmp_path / "mine"), Authority(tmp_path / "others", "others")
    shown, wrong = mine.sign("server"), others.sign("wrong")
    tls = {"certificate": shown.certificate, "key": shown.key, "host_authority": mine.file}
    with served(tmp_path / "data", **hosts_settings(**tls)) as server:
        to = place_of(server), host_token(server.settings.socket)
        with (
            host(tmp_path, "plain", *to) as plain,
            host(tmp_path, "bare", *to, authority=mine.file) as bare,
            host(tmp_path, "strange", *to, authority=mine.file, **wrong._asdict()) as strange,
            host(tmp_path, "wary", *to, authority=others.file) as wary,
        ):
            says(plain, "plain has no server yet: the server closed the connection without a word")
            says(plain, "perhaps it wants TLS")
            says(bare, "perhaps it wants to see a certificate of this host")
            says(strange, f"perhaps {wrong.certificate} is not signed by the authority")
            says(wary, f"the server's certificate is not signed by {others.file}")


def test_a_host_says_that_the_server_speaks_no_tls_or_has_refused_it(tmp_path: Path) -> None:
    mine = Authority(tmp_path / "mine")
    with served(tmp_path / "data", **hosts_settings()) as server:
        place = place_of(server)
        with (
            host(tmp_path, "wary", place, "pdk_no", authority=mine.file) as wary,
            host(tmp_path, "stranger", place, "pdk_no") as stranger,
        ):
            says(wary, "no TLS could be begun: perhaps the server speaks none")
            says(stranger, "stranger was refused: its token is none of this server's")


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    mine, gone = Authority(tmp_path), tmp_path / "gone.pem"
    options = HostOptions("big", "a", ("127.0.0.1", 1), "pdk_no", authority=str(gone))
    with pytest.raises(BadHostError, match=f"the authority {gone} cannot be used: No such file"):
        host_context(options)
    options = HostOptions(
        *("big", "a", ("127.0.0.1", 1), "pdk_no"),
        authority=str(mine.file),
        certificate=str(gone),
        key=str(gone),
    )
    with pytest.raises(BadHostError, match=f"the certificate {gone} with key {gone} cannot be"):
        host_context(options)
