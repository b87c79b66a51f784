"""Links that log in: each once, for a while, and not for whoever guesses."""

from pooldeck_server.domain.clock import ManualClock
from pooldeck_server.runtime.access.login_links import LINK_SECONDS, LoginLinks

ADDRESS = "http://127.0.0.1:8000/deck"


def secret_of(link: str) -> str:
    address, _, secret = link.partition("/login?once=")
    assert address == ADDRESS
    return secret


def test_a_link_counts_once() -> None:
    links = LoginLinks(ADDRESS, ManualClock())
    one, other = secret_of(links.make()), secret_of(links.make())
    assert one != other
    assert links.use(one)
    assert not links.use(one)
    assert links.use(other)


def test_a_link_counts_for_a_while() -> None:
    clock = ManualClock()
    links = LoginLinks(ADDRESS, clock)
    in_time, late = secret_of(links.make()), secret_of(links.make())
    clock.advance(LINK_SECONDS - 1)
    assert links.use(in_time)
    clock.advance(1)
    assert not links.use(late)


def test_what_is_no_secret_of_a_link_does_not_count() -> None:
    links = LoginLinks(ADDRESS, ManualClock())
    secret = secret_of(links.make())
    for wrong in ("", secret[:-1], f"{secret} ", secret.upper(), "é", "x" * 10_000):
        assert not links.use(wrong)
    assert links.use(secret)


def test_of_many_that_nobody_uses_the_latest_are_kept() -> None:
    links = LoginLinks(ADDRESS, ManualClock())
    first, *_, last = [secret_of(links.make()) for _ in range(1000)]
    assert not links.use(first)
    assert links.use(last)
