"""Values of sensitive arguments are left out of text in every form that is promised."""

import json
from typing import Any
from urllib.parse import quote, quote_plus

import msgspec
import pytest

from pooldeck import task
from pooldeck.masking import MASK, Mask, Sensitive, united
from pooldeck.outcome import Error, ErrorKind
from pooldeck.worker.functions.discovery import functions_of


@task
def connect(user: str, password: str, *rest: str, key: dict[str, Any], **more: str) -> None:
    """Take arguments of every kind."""


def mask(args: list[Any], kwargs: dict[str, Any], *names: str) -> Mask | None:
    spec = next(each.spec for each in functions_of(__name__))
    options = msgspec.structs.replace(spec.options, sensitive=names)
    sensitive = Sensitive(msgspec.structs.replace(spec, options=options))
    return sensitive.mask(json.dumps(args).encode(), json.dumps(kwargs).encode())


SECRET = 'pä$$ "wörd"\\ 1'


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        repr(SECRET),
        repr(SECRET.encode()),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        quote(SECRET),
        quote_plus(SECRET),
    ],
)
def test_a_value_is_masked_in_the_forms_that_it_is_written_in(written: str) -> None:
    masked = Mask([SECRET])(f"before {written} after")
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert MASK in masked
    assert "rd" not in masked


def test_numbers_and_what_lies_deeper_are_masked() -> None:
    found = mask(["ada", "x"], {"key": {"pin": 12345678, "all": ["deeper-still"]}}, "key")
    assert found is not None
    assert found("12345678, 12,345,678, deeper-still, ada") == f"{MASK}, {MASK}, {MASK}, ada"


def test_arguments_are_known_by_place_and_by_name() -> None:
    args = ["ada-lovelace", "password-1", "rest-of-it"]
    kwargs = {"key": {"a": "the-key"}, "other": "more-of-it"}
    text = " ".join([*args, "the-key", "more-of-it"])
    by_place = mask(args, kwargs, "password")
    rest = mask(args, kwargs, "rest", "more")
    assert by_place is not None
    assert rest is not None
    assert by_place(text) == f"ada-lovelace {MASK} rest-of-it the-key more-of-it"
    assert rest(text) == f"ada-lovelace password-1 {MASK} the-key {MASK}"


def test_short_values_and_calls_without_any_mask_nothing() -> None:
    assert mask(["ada", "short"], {"key": {"is": True}}, "password", "key") is None
    assert Mask(["secret-of-three\nshort\nlines-of-it"])("short lines-of-it") == f"short {MASK}"


def test_text_that_goes_on_ends_before_what_may_become_a_value() -> None:
    found = Mask(["secret-word"])
    assert found.unfinished("it is secret-w") == "it is "
    assert found.unfinished("it is secret-word, s") == f"it is {MASK}, "
    assert found.unfinished("it is over") == "it is over"


def test_the_values_of_calls_side_by_side_are_all_masked_the_longest_first() -> None:
    both = united([Mask(["secret-word"]), Mask(["secret-word-of-two"])])
    assert both is not None
    assert both("secret-word-of-two, secret-word") == f"{MASK}, {MASK}"
    assert united([]) is None


def test_an_error_is_masked_with_its_causes() -> None:
    error = Error(
        ErrorKind.EXCEPTION,
        "acme.secret-word",
        "secret-word",
        traceback="at secret-word",
        cause=Error(ErrorKind.EXCEPTION, "KeyError", "'secret-word'"),
        returned="secret-word",
    )
    assert "secret-word" not in str(Mask(["secret-word"]).error(error))
