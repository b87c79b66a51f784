"""Which groups a provider's words put somebody in."""

from typing import Any

import pytest

from pooldeck_server.runtime.access.oidc.logins import _groups


@pytest.mark.parametrize(
    ("claims", "groups"),
    [
        ({"groups": ["a", "b"]}, ("a", "b")),
        ({"groups": "a"}, ("a",)),
        ({"groups": ["a", 1, None, ["b"]]}, ("a",)),
        ({"groups": {"a": "b"}}, ()),
        ({}, ()),
    ],
)
def test_groups_are_a_text_or_a_list_of_texts(claims: Any, groups: tuple[str, ...]) -> None:
    assert _groups(claims, "groups") == groups


@pytest.mark.parametrize("verified", [False, "true", 1, None])
def test_an_address_of_mail_counts_only_if_the_provider_has_verified_it(verified: object) -> None:
    said = {"email": "ada@acme.example", "email_verified": verified}
    assert _groups(said, "email") == ()
    assert _groups(said | {"email_verified": True}, "email") == ("ada@acme.example",)
