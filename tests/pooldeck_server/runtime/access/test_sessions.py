"""Sessions of browsers: they outlive the server, and end with a logout, their time or the token."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from pooldeck_server.domain.access import OWNER, Principal, Role
from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.runtime.access.sessions import SESSION_SECONDS, Sessions
from pooldeck_server.runtime.recording.recorder import Recorder
from pooldeck_server.store import queries
from tests.support.stored import Store, opened

TOKEN = "a-token-of-the-tests-long-enough"


@asynccontextmanager
async def recording(store: Store) -> AsyncIterator[Recorder]:
    recorder = Recorder(store.database, limit=100)
    recorder.start()
    try:
        yield recorder
    finally:
        await recorder.stop()


def sessions(
    store: Store, recorder: Recorder, token: str = TOKEN, clock: ManualClock | None = None
) -> Sessions:
    """Return the sessions as a server that starts finds them."""
    return Sessions(recorder, clock or store.clock, token, store.read(queries.sessions))


async def test_a_session_outlives_a_restart_until_it_is_ended(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            secret = await sessions(store, recorder).begin(OWNER)
            other = await sessions(store, recorder).begin(OWNER)
            assert sessions(store, recorder).holds(secret)

            await sessions(store, recorder).end(secret)

            assert not sessions(store, recorder).holds(secret)
            assert sessions(store, recorder).holds(other)


async def test_with_another_token_all_sessions_are_void(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            secret = await sessions(store, recorder).begin(OWNER)

            assert not sessions(store, recorder, TOKEN + "!").holds(secret)
            assert sessions(store, recorder).holds(secret)


async def test_nothing_but_the_secret_opens_a_session_and_it_is_not_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            found = sessions(store, recorder)
            secret = await found.begin(OWNER)
            [kept] = store.read(queries.sessions)

            assert [found.holds(text) for text in ("", "é", kept.key, secret[:-1])] == [False] * 4
    assert secret.encode() not in store.database.path.read_bytes()


async def test_a_session_is_over_in_time_and_not_kept_for_ever(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            clock = ManualClock()
            found = sessions(store, recorder, clock=clock)
            first = await found.begin(OWNER)
            clock.advance(SESSION_SECONDS - 1)
            assert found.holds(first)
            clock.advance(1)
            assert not found.holds(first)

            await found.begin(OWNER)

            assert len(store.read(queries.sessions)) == 1


async def test_of_very_many_sessions_the_oldest_end(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            found = sessions(store, recorder)
            people = [Principal(name=f"p{n % 40}", role=Role.VIEWER) for n in range(1001)]
            secrets = [await found.begin(each) for each in people]

            assert [found.holds(secret) for secret in (*secrets[:2], secrets[-1])] == [
                False,
                True,
                True,
            ]
            assert len(store.read(queries.sessions)) == 1000


async def test_a_database_that_takes_nothing_keeps_nobody_out_or_in(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            store.database.path.rename(tmp_path / "moved")
            found = sessions(store, recorder)
            secret = await found.begin(OWNER)
            assert found.holds(secret)
            await found.end(secret)
            assert not found.holds(secret)
            (tmp_path / "moved").rename(store.database.path)


async def test_logins_by_another_provider_or_other_groups_end_with_the_settings(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            found = sessions(store, recorder)
            earlier = await found.begin(OWNER, "oidc:earlier")
            present = await found.begin(OWNER, "oidc:present")
            by_token = await found.begin(OWNER, "ci")

            await sessions(store, recorder).end_others_of("oidc:", "oidc:present")

            found = sessions(store, recorder)
            assert not found.holds(earlier)
            assert found.holds(present)
            assert found.holds(by_token)

            await found.end_others_of("oidc:", None)
            assert not sessions(store, recorder).holds(present)
            assert sessions(store, recorder).holds(by_token)


async def test_who_logs_in_again_and_again_ends_sessions_of_nobody_else(tmp_path: Path) -> None:
    guest = Principal(name="guest", role=Role.VIEWER)
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            found = sessions(store, recorder)
            owners = await found.begin(OWNER)
            guests = [await found.begin(guest) for _ in range(60)]
            assert found.holds(owners)
            assert found.holds(guests[-1])
            assert not found.holds(guests[0])


async def test_a_session_that_has_ended_before_somebody_waits_for_its_end_is_over(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as store:
        async with recording(store) as recorder:
            found = sessions(store, recorder)
            secret = await found.begin(OWNER)
            await found.end(secret)
            await asyncio.wait_for(found.wait_for_end(secret), 60)
