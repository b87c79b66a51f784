"""When a delivery is tried again, and what of an address is shown."""

from pooldeck_server.domain.alerts.deliveries import (
    DestinationKind,
    StoredDestination,
    next_try,
)
from pooldeck_server.domain.clock import HOUR, SECOND


def test_pauses_grow_for_days_then_it_is_given_up() -> None:
    moment, pauses = 0, []
    for tries in range(1, 20):
        again = next_try(tries, moment, 0.5)
        if again is None:
            break
        pauses.append(again - moment)
        moment = again
    assert pauses == sorted(pauses)
    assert pauses[0] == 5 * SECOND
    assert len(pauses) == 9
    assert 72 * HOUR < moment < 120 * HOUR


def test_pauses_are_spread_by_chance() -> None:
    assert next_try(1, 0, 0.0) == 4 * SECOND
    assert next_try(1, 0, 1.0) == 6 * SECOND


def test_a_receiver_that_asks_for_time_gets_it_up_to_a_day() -> None:
    assert next_try(1, 0, 0.5, retry_after=3600) == HOUR
    assert next_try(1, 0, 0.5, retry_after=1) == 5 * SECOND
    assert next_try(1, 0, 0.5, retry_after=1e9) == 24 * HOUR


def test_no_path_and_no_query_of_an_address_is_shown() -> None:
    def shown(url: str, kind: DestinationKind = DestinationKind.WEBHOOK) -> str:
        return StoredDestination(1, "x", kind, url, True, None, 0).shown_url

    assert shown("https://hooks.example.com/services/T0/secret") == "https://hooks.example.com/…"
    assert shown("https://example.com:8443?key=secret") == "https://example.com:8443/…"
    assert shown("http://example.com/") == "http://example.com/"
    assert shown("mailto://me:secret@example.com", DestinationKind.APPRISE) == "mailto://…"
