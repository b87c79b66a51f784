"""The server counts on a host's end only when the host has made it, whatever becomes of frames."""

import heapq
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from pooldeck.hosts.lease import RATE_BOUND, HostLease, ServerLease, certainly_over

_LEASE: Final = 15.0
_MARGIN: Final = 5.0
_delays = st.floats(0.0, 60.0)
_asks = st.lists(
    st.tuples(
        st.floats(0.01, 20.0),  # since the one before: a host may be stopped in between
        _delays,  # until the request arrives
        _delays,  # until the grant arrives
        st.booleans(),  # whether the request is lost
        st.booleans(),  # whether the grant is lost
    ),
    max_size=30,
)


@given(_asks, st.floats(-RATE_BOUND, 0.999 * RATE_BOUND), st.floats(-1e6, 1e6))
def test_the_server_never_declares_before_the_host_has_killed(
    asks: list[tuple[float, float, float, bool, bool]], slow: float, offset: float
) -> None:
    now = 0.0
    # The host's clock is slower and the server's faster: only then can it be too early.
    host = HostLease(_LEASE, lambda: offset + now / (1 + slow / 2))
    server = ServerLease(_LEASE, _MARGIN, clock=lambda: now * (1 + slow / 2))
    host.until = host.clock() + _LEASE
    assert server.grant()
    events: list[tuple[float, int, str, int]] = []
    for gap, up, down, is_up_lost, is_down_lost in asks:
        now += gap
        if host.left <= 0:
            break
        n = host.ask()
        if not is_up_lost:
            heapq.heappush(events, (now + up, n, "renew", n))
            if not is_down_lost:
                heapq.heappush(events, (now + up + down, n, "grant", n))
    granted: set[int] = set()
    while events:
        at, _, what, n = heapq.heappop(events)
        now = at
        if server.give_up():
            assert host.left <= -_MARGIN + 1e-6
        if what == "renew" and server.grant():
            granted.add(n)
        elif what == "grant" and n in granted and host.left > 0:
            host.until = host.granted(n)
    now += 2 * certainly_over(_LEASE, _MARGIN)
    assert server.give_up()
    assert host.left < -_MARGIN


def test_a_grant_counts_from_when_it_was_asked_for_not_from_when_it_comes() -> None:
    now = 100.0
    lease = HostLease(15.0, lambda: now, until=110.0)
    first, second = lease.ask(), lease.ask()
    now = 108.0
    assert lease.granted(second) == 115.0
    assert lease.granted(first) == 110.0  # it was asked for before, and tells nothing new
    assert lease.granted(99) == 110.0


def test_a_host_that_was_given_up_is_granted_nothing_any_more() -> None:
    now = 0.0
    lease = ServerLease(15.0, 5.0, clock=lambda: now)
    assert lease.grant()
    now = 20.0
    assert not lease.give_up()  # 15 ms are for clocks that run at different rates
    now = 20.1
    assert lease.give_up()
    assert not lease.grant()
