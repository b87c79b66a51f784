"""Chips, causes and roles are words of the reader's language; what is unknown stays as it is."""

import pytest

from pooldeck.outcome import ErrorKind
from pooldeck_server.domain.access import Role
from pooldeck_server.web.text.i18n import speaking
from pooldeck_server.web.text.reasons import cause_words, error_word, role_word


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_of_error_has_a_word(kind: ErrorKind) -> None:
    assert error_word(kind) == kind.replace("_", " ")
    with speaking("zh-Hans"):
        assert not error_word(kind).isascii()


@pytest.mark.parametrize("role", Role)
def test_every_role_has_a_word(role: Role) -> None:
    assert role_word(role) == role.value
    with speaking("zh-Hans"):
        assert not role_word(role).isascii()


@pytest.mark.parametrize("cause", ["exited with code 1", "killed by SIGSEGV"])
def test_why_a_worker_died_is_translated_around_what_names_it(cause: str) -> None:
    assert cause_words(cause) == cause
    with speaking("zh-Hans"):
        assert cause_words(cause) != cause
        assert cause.rpartition(" ")[2] in cause_words(cause)


def test_a_cause_of_another_form_stays_as_it_is() -> None:
    with speaking("zh-Hans"):
        assert cause_words("became another program") == "became another program"
