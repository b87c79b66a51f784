"""Large bodies are held to the same rules as small ones, at a cost that has a bound."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooldeck_server.domain.errors import MalformedJson, PooldeckError, TooLarge
from pooldeck_server.web.http.json_pieces import check_in_pieces
from pooldeck_server.web.http.strict_json import check

DEPTH = 6
LONGEST = 40_000
MOST = 50

texts = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
    ),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def fault(body: bytes, *, in_pieces: bool) -> str | None:
    """Return the code of what is wrong with a text, if anything is."""
    try:
        if in_pieces:
            check_in_pieces(body, DEPTH, LONGEST, MOST)
        else:
            check(body, DEPTH)
    except PooldeckError as error:
        return error.code
    return None


@given(texts, st.sampled_from([None, 1]), st.data())
def test_the_same_texts_are_json(value: object, indent: int | None, data: st.DataObject) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=False).encode()
    assert fault(text, in_pieces=True) == fault(text, in_pieces=False)
    at = data.draw(st.integers(0, len(text)))
    cut = text[:at] + data.draw(st.sampled_from([b"", b",", b"]", b"}", b'"', b"\xff", b"1"]))
    assert fault(cut, in_pieces=True) == fault(cut, in_pieces=False)


@pytest.mark.parametrize(
    "body",
    [
        b'{"tasks": [], "tasks": []}',
        b'{"tasks": {"a": 1, "\\u0061": 2}}',
        b'{"tasks": [{"a": 1, "a": 2}]}',
        b'{"tasks": [NaN]}',
        b'{"tasks": ["\\ud800"]}',
        b'{"tasks": [1e400]}',
        b'{"tasks": [1,]}',
        b'{"tasks": [1 2]}',
        b'{"tasks": [] []}',
        b'{"tasks" []}',
        b"{tasks: []}",
        b'{"tasks": [%b]}' % (b"[" * 9 + b"]" * 9),
        b"[" * 30_000,
        b'{"tasks": "\xff"}',
        b'{"tasks": []} x',
        b"\xef\xbb\xbf{}",
        b"",
    ],
)
def test_what_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedJson):
        check_in_pieces(body, DEPTH, LONGEST, MOST)


def test_an_error_says_where_it_is_in_the_whole_text() -> None:
    body = '{"é": ["ü", nul]}'.encode()
    with pytest.raises(MalformedJson) as whole:
        check(body, DEPTH)
    with pytest.raises(MalformedJson) as caught:
        check_in_pieces(body, DEPTH, LONGEST, MOST)
    assert caught.value.extra == whole.value.extra
    assert caught.value.detail == whole.value.detail


@pytest.mark.parametrize("size", [10, 20_000, LONGEST - 2])
def test_pieces_of_any_length_that_is_allowed_are_read(size: int) -> None:
    check_in_pieces(b'{"tasks": ["%b", 123]}' % (b"x" * size), DEPTH, LONGEST, MOST)


@pytest.mark.parametrize(
    "body",
    [
        b'{"tasks": ["%b"]}' % (b"x" * LONGEST),
        b'{"tasks": [[%b[]]]}' % (b"[]," * LONGEST),
        b'{"tasks": [%b1]}' % (b"1," * MOST),
        b'{%b"z": 1}' % b"".join(b'"%d": 1,' % number for number in range(MOST)),
    ],
)
def test_neither_a_piece_nor_their_number_is_without_bound(body: bytes) -> None:
    with pytest.raises(TooLarge):
        check_in_pieces(body, DEPTH, LONGEST, MOST)
