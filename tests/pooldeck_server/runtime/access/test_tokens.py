"""Named tokens: made, found, revoked at once, and noted when they were used."""

import asyncio
import json
import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from pooldeck_server.domain.access import OWNER, Role
from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.domain.errors import Conflict, NotFound
from pooldeck_server.domain.tokens import TokenRequest
from pooldeck_server.runtime.access.sessions import Sessions
from pooldeck_server.runtime.access.socket import TokenSocket
from pooldeck_server.runtime.access.tokens import Tokens
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import queries
from tests.support.stored import Store, opened

OWN = "a-token-of-the-tests-long-enough"
VIEWER = TokenRequest("ann", Role.VIEWER)


@asynccontextmanager
async def recording(store: Store) -> AsyncIterator[Recorder]:
    recorder = Recorder(store.database, limit=100)
    recorder.start()
    try:
        yield recorder
    finally:
        await recorder.stop()


def tokens(store: Store, recorder: Recorder, clock: ManualClock | None = None) -> Tokens:
    """Return the tokens as a server that starts finds them."""
    clock = clock or ManualClock()
    return Tokens(
        recorder=recorder,
        sessions=Sessions(recorder, clock, OWN, store.read(queries.sessions)),
        clock=clock,
        owner=OWN,
        is_asked_for=True,
        kept=store.read(queries.tokens),
    )


async def test_a_token_outlives_a_restart_and_its_secret_is_nowhere(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            wanted = TokenRequest("ci", Role.OPERATOR, functions=("acme.*",), pools=("io",))
            made, secret = await tokens(store, recorder).create(wanted, "ann")

            found = tokens(store, recorder).find(secret.encode())

            assert found is not None
            principal, token = found
            assert token is not None
            assert (token.name, token.created_by, token.role) == ("ci", "ann", Role.OPERATOR)
            assert (principal.functions, principal.pools) == (("acme.*",), ("io",))
            assert made.key == token.key
    assert secret.encode() not in store.database.path.read_bytes()


async def test_the_token_of_the_settings_is_the_owners(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            found = tokens(store, recorder)
            assert found.find(OWN.encode()) == (OWNER, None)
            for wrong in (b"", OWN[:-1].encode(), OWN.encode() + b"x", b"\xff\x00"):
                assert found.find(wrong) is None


async def test_a_name_is_given_once(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            found = tokens(store, recorder)
            both = await asyncio.gather(
                found.create(VIEWER, "x"), found.create(VIEWER, "y"), return_exceptions=True
            )
            assert [type(each) for each in both].count(Conflict) == 1
            assert len(found.all()) == 1


async def test_a_revoked_token_counts_no_more_at_once_and_takes_its_sessions_along(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            found = tokens(store, recorder)
            token, secret = await found.create(VIEWER, "x")
            login = await found.sessions.begin(token.principal, token.name)
            other = await found.sessions.begin(OWNER)
            stream = asyncio.create_task(found.wait_for_end(token.principal))
            page = asyncio.create_task(found.sessions.wait_for_end(login))
            await asyncio.sleep(0)

            await found.revoke("ann")

            await asyncio.wait_for(asyncio.gather(stream, page), 30)
            assert found.find(secret.encode()) is None
            assert found.sessions.principal_of(login) is None
            after = tokens(store, recorder)
            assert after.find(secret.encode()) is None
            assert after.sessions.principal_of(login) is None
            assert after.sessions.principal_of(other) == OWNER
            with pytest.raises(NotFound):
                await found.revoke("ann")


async def test_a_token_that_was_revoked_before_somebody_waits_for_its_end_is_over(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            found = tokens(store, recorder)
            token, _ = await found.create(VIEWER, "ann")
            await found.revoke(token.name)
            await asyncio.wait_for(found.wait_for_end(token.principal), 60)


async def test_an_expired_token_and_its_sessions_are_over(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            clock = ManualClock()
            found = tokens(store, recorder, clock)
            token, secret = await found.create(
                TokenRequest("ann", Role.VIEWER, expires_in=60.0), "x"
            )
            login = await found.sessions.begin(token.principal, token.name, token.expires_at)
            clock.advance(59)
            assert found.find(secret.encode())
            assert found.sessions.holds(login)

            clock.advance(1)

            assert found.find(secret.encode()) is None
            assert not found.sessions.holds(login)
            await asyncio.wait_for(found.wait_for_end(token.principal), 30)


async def test_when_a_token_was_used_is_kept_without_a_write_for_each_use(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            clock = ManualClock()
            found = tokens(store, recorder, clock)
            _, secret = await found.create(VIEWER, "x")
            clock.advance(5)
            found.find(secret.encode())
            assert found.all()[0].used_at == clock.now()
            assert store.read(queries.tokens)[0].used_at is None  # nothing was written for it

            await found.note_uses()

            assert store.read(queries.tokens)[0].used_at == clock.now()
            assert found.all()[0].used_at == clock.now()


async def test_a_session_has_the_role_that_it_was_begun_with(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            found = tokens(store, recorder)
            token, _ = await found.create(VIEWER, "x")
            login = await found.sessions.begin(token.principal, token.name)
            principal = tokens(store, recorder).sessions.principal_of(login)
            assert principal == token.principal
            assert principal is not None
            assert (principal.role, principal.values) == (Role.VIEWER, False)


@pytest.mark.parametrize("folder", ["data", "d" * 120])
async def test_the_socket_is_for_its_user_alone_and_goes_with_the_server(
    tmp_path: Path, folder: str
) -> None:
    place = tmp_path / folder
    place.mkdir()
    path = place / "pooldeck.sock"
    path.write_bytes(b"left by a server that was killed")
    with opened(tmp_path / "store") as store:
        async with recording(store) as recorder:
            listening = TokenSocket(path, tokens(store, recorder), links=None)
            await listening.start()
            assert stat.S_ISSOCK(path.stat().st_mode)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            answers = [await asyncio.to_thread(ask, place, text) for text in COMMANDS]
            await listening.stop()
            assert not path.exists()
    created, listed, unknown, malformed, revoked = map(json.loads, answers)
    assert created["secret"].startswith("pdk_")
    assert [each["name"] for each in listed["tokens"]] == ["ci"]
    assert "error" in unknown
    assert "error" in malformed
    assert "error" not in revoked


COMMANDS = (
    b'{"type": "create", "token": {"name": "ci", "role": "operator"}}',
    b'{"type": "list"}',
    b'{"type": "revoke", "name": "nobody"}',
    b'{"type": "rm -rf"}',
    b'{"type": "revoke", "name": "ci"}',
)


def ask(folder: Path, text: bytes) -> bytes:
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(30)
            asking.connect(f"/proc/self/fd/{held}/pooldeck.sock")
            asking.sendall(text + b"\n")
            return asking.makefile("rb").readline()
    finally:
        os.close(held)
