"""What somebody may do whom a provider has named."""

import re

import msgspec
import pytest

from pooldeck_server.domain.access import Role
from pooldeck_server.domain.logins import Grant, Person, principal_for
from pooldeck_server.domain.tokens import TokenRequest

VIEWERS = Grant(group="viewers", role=Role.VIEWER, values=False)
OPERATORS = Grant(group="operators", role=Role.OPERATOR, values=True)
ACME = Grant(group="acme", role=Role.OPERATOR, values=True, functions=("acme.*",))
ALL = Grant(group="*", role=Role.VIEWER, values=False)


def ada(*groups: str, shown: str = "ada", subject: str = "1", issuer: str = "https://a") -> Person:
    return Person(issuer=issuer, subject=subject, shown=shown, groups=groups)


def test_who_is_in_no_group_does_not_come_in() -> None:
    assert principal_for(ada(), (VIEWERS, OPERATORS)) is None
    assert principal_for(ada("operator", "VIEWERS", "viewers "), (VIEWERS, OPERATORS)) is None


def test_of_several_groups_the_highest_role_counts_and_then_the_first() -> None:
    grants = (VIEWERS, ACME, OPERATORS)
    assert principal_for(ada("viewers", "operators"), grants).role is Role.OPERATOR  # type: ignore[union-attr]  # it is somebody
    both = principal_for(ada("operators", "acme"), grants)
    assert both is not None
    assert both.functions == ("acme.*",)


def test_a_star_is_everybody() -> None:
    everybody = principal_for(ada(), (ALL, OPERATORS))
    assert everybody is not None
    assert not everybody.values
    operator = principal_for(ada("operators"), (ALL, OPERATORS))
    assert operator is not None
    assert operator.role is Role.OPERATOR


def test_a_name_is_for_one_person_of_one_provider() -> None:
    people = {
        ada().name,
        ada(subject="2").name,
        ada(issuer="https://b").name,
        ada(shown="bob").name,
    }
    assert len(people) == 4
    assert ada("x").name == ada("y").name


@pytest.mark.parametrize("shown", ["owner", "ci", "a@b.example", "#", "a\nb\u202e", "x" * 1000])
def test_no_token_has_the_name_of_a_person(shown: str) -> None:
    name = ada(shown=shown).name
    assert re.fullmatch(r"[^#]{1,64}#[0-9a-f]{12}", name)
    assert name.isprintable()
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": name, "role": "viewer"}, TokenRequest)
