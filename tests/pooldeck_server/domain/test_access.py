"""Roles, limits and tokens as values."""

import pytest

from pooldeck_server.domain.access import Principal, Role, fits
from pooldeck_server.domain.clock import SECOND
from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tokens import (
    TokenRequest,
    key_of,
    new_secret,
    new_token,
    read_life,
)


def test_each_role_may_do_what_those_before_it_may_but_run_hosts() -> None:
    assert [[role.includes(other) for other in Role] for role in Role] == [
        [True, False, False, False],
        [False, True, False, False],
        [False, True, True, False],
        [False, True, True, True],
    ]


@pytest.mark.parametrize(
    ("patterns", "name", "does"),
    [
        ((), "acme.render", True),
        (("acme.*",), "acme.render", True),
        (("acme.*",), "acme", False),
        (("acme.*",), "notacme.render", False),
        (("acme.render",), "acmexrender", False),
        (("acme.render",), "acme.render\n", False),
        (("a", "b*"), "bc", True),
        (("*",), "line\nbreak", True),
    ],
)
def test_a_pattern_fits_whole_names(patterns: tuple[str, ...], name: str, does: bool) -> None:
    assert fits(patterns, name) is does


def test_of_functions_and_pools_both_have_to_fit() -> None:
    who = Principal(name="ci", role=Role.OPERATOR, functions=("acme.*",), pools=("io",))
    assert who.may_reach("acme.render", "io")
    assert not who.may_reach("acme.render", "cpu")
    assert not who.may_reach("other.render", "io")


def test_a_secret_has_256_bits_and_is_not_kept() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert min(map(len, secrets)) >= 43  # characters of 6 bits each
    secret = secrets.pop()
    token = new_token(TokenRequest("ci", Role.VIEWER), secret, "somebody", 0)
    assert secret not in repr(token)
    assert token.key == key_of(secret.encode())


def test_only_a_viewer_can_be_without_values() -> None:
    def sees(role: Role, *, values: bool) -> bool:
        request = TokenRequest("ci", role, values=values)
        return new_token(request, "secret", "somebody", 0).principal.values

    assert [sees(role, values=False) for role in Role] == [False, False, True, True]
    assert sees(Role.VIEWER, values=True)


def test_a_token_is_over_when_its_time_is() -> None:
    token = new_token(TokenRequest("ci", Role.VIEWER, expires_in=60.0), "secret", "somebody", 0)
    assert [token.is_over(at * SECOND) for at in (0, 59, 60)] == [False, False, True]


@pytest.mark.parametrize(
    "request_",
    [
        TokenRequest("ci", Role.ADMIN, functions=("acme.*",)),
        TokenRequest("ci", Role.ADMIN, pools=("io",)),
        TokenRequest("owner", Role.VIEWER),
        TokenRequest("anybody", Role.VIEWER),
    ],
)
def test_a_token_that_would_say_less_than_it_seems_to_is_refused(request_: TokenRequest) -> None:
    with pytest.raises(InvalidRequest):
        request_.check()


def test_a_life_is_said_in_hours_days_weeks_or_years() -> None:
    assert read_life("12h") == 12 * 3600
    assert read_life("90d") == 90 * 24 * 3600
    assert read_life("never") is None
    for text in ("", "0d", "90", "d", "-1d", "90 d", "99999y", "1e3d"):
        with pytest.raises(InvalidRequest):
            read_life(text)
