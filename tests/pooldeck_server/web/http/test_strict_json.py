"""What counts as JSON at the door, and how a body becomes a submission."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooldeck_server.domain.errors import InvalidRequest, MalformedJson, TooLarge
from pooldeck_server.settings import LimitSettings
from pooldeck_server.web.api.bodies import (
    read_batch,
    read_cancel_request,
    read_submission,
)
from pooldeck_server.web.http.strict_json import check

LIMITS = LimitSettings(arguments_bytes=1000, depth=5, batch_tasks=3)


def submission(arguments: bytes = b"[]", more: bytes = b"") -> bytes:
    return b'{"function": "f", "args": %s%s}' % (arguments, more)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"{", "too early"),
        (b'["a', "too early"),
        (b"{} {}", "trailing"),
        (b"[1,]", "byte 3"),
        (b"{'a': 1}", "byte 1"),
        (b"[01]", "byte 2"),
        (b"[1.]", "byte 3"),
        (b"[.5]", "byte 1"),
        (b"nul", "too early"),
        (b"[NaN]", "NaN"),
        (b"[Infinity]", "infinities"),
        (b"[-Infinity]", "infinities"),
        (b"[1e400]", "too large"),
        (b"[-1e400]", "too large"),
        (b"[" + b"9" * 5000 + b"]", "4300 digits"),
        (rb'["\ud800"]', "surrogate"),
        (rb'["\ud800 and more text here"]', "surrogate"),
        (rb'["\udc00"]', "surrogate"),
        (rb'["\ud800\u0041"]', "surrogate"),
        (rb'["\x41"]', "byte"),
        (b'["\xff"]', "byte 2"),
        (b'["\xed\xa0\x80"]', "byte 2"),
        (b'["tab\there"]', "byte 5"),
        (b"\xef\xbb\xbf[]", "byte order mark"),
        ("[]".encode("utf-16"), "byte 0"),
        (b'{"a": 1, "a": 1}', '"a" stands twice'),
        (rb'[{"b": {"c": 1, "\u0063": 2}}]', '"c" stands twice'),
    ],
)
def test_what_parsers_disagree_on_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(MalformedJson, match=words):
        check(body, depth=64)


@pytest.mark.parametrize(
    "body", [rb'["\u0000"]', b"[-0, 1E+2]", b'{"a": {"a": 1}}', rb'"\ud83d\ude00"']
)
def test_what_is_unusual_but_clear_is_taken(body: bytes) -> None:
    check(body, depth=64)


@given(st.recursive(st.none() | st.text('ab[]{}"\\'), st.lists), st.integers(1, 6))
def test_the_depth_is_counted_exactly(value: Any, limit: int) -> None:
    body = json.dumps(value).encode()
    if _depth(value) <= limit:
        check(body, limit)
    else:
        with pytest.raises(MalformedJson, match="nested"):
            check(body, limit)


def _depth(value: Any) -> int:
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def _texts() -> st.SearchStrategy[str]:
    """Texts as JSON that have what is counted in them, also as escapes."""
    literal = st.text('a:[]{}"\\', max_size=5).map(json.dumps)
    return literal | literal.map(lambda text: text.replace(":", r"\u003A")) | literal.map(_escaped)


def _escaped(literal: str) -> str:
    return json.dumps(json.loads(literal)).replace("a", r"\u0061").replace("[", r"\u005b")


def _object(members: list[tuple[str, str]]) -> str:
    return f"{{{' , '.join(f'{name} :{value}' for name, value in members)}}}"


def _array(items: list[str]) -> str:
    return f"[{','.join(items)}]"


_json = st.recursive(
    st.sampled_from(["1", "-2.5e3", "null"]) | _texts(),
    lambda inner: (
        st.lists(inner, max_size=3).map(_array)
        | st.lists(st.tuples(_texts(), inner), max_size=4).map(_object)
    ),
    max_leaves=12,
)


@given(_json)
def test_names_that_stand_twice_are_found_wherever_they_are_and_however_written(text: str) -> None:
    doubles: list[str] = []

    def look(pairs: list[tuple[str, Any]]) -> None:
        doubles.extend(name for name, number in Counter(n for n, _ in pairs).items() if number > 1)

    json.loads(text, object_pairs_hook=look)
    if doubles:
        with pytest.raises(MalformedJson, match="stands twice"):
            check(text.encode(), depth=64)
    else:
        check(text.encode(), depth=64)


@pytest.mark.parametrize("levels", [1000, 100_000, 1_000_000])
def test_hostile_depth_is_refused(levels: int) -> None:
    with pytest.raises((MalformedJson, TooLarge), match=r"nested|more than 100,000"):
        check(b"[" * levels + b"]" * levels, depth=64)


def test_arguments_may_be_nested_as_deeply_as_the_limit_says() -> None:
    read_submission(submission(b"[" * 6 + b"]" * 6), LIMITS)
    with pytest.raises(MalformedJson):
        read_submission(submission(b"[" * 7 + b"]" * 7), LIMITS)
    read_batch(b'{"tasks": [%s]}' % submission(b"[" * 6 + b"]" * 6), LIMITS)
    with pytest.raises(MalformedJson):
        read_batch(b'{"tasks": [%s]}' % submission(b"[" * 7 + b"]" * 7), LIMITS)


def test_arguments_are_cut_out_as_they_were_sent() -> None:
    read = read_submission(submission(b"[1.0, 1e2 ]", b', "kwargs": {"a" : 1}'), LIMITS)
    assert bytes(read.args) == b"[1.0, 1e2 ]"
    assert bytes(read.kwargs) == b'{"a" : 1}'


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"[]", ""),
        (b"{}", "/function"),
        (b'{"function": 5}', "/function"),
        (b'{"function": ""}', "/function"),
        (rb'{"function": "a\u0000"}', "/function"),
        (submission(b"{}"), "/args"),
        (submission(b"null"), "/args"),
        (submission(more=b', "kwargs": []'), "/kwargs"),
        (submission(more=b', "surprise": 1'), "/surprise"),
        (submission(more=b', "priority": 101'), "/priority"),
        (submission(more=b', "priority": -101'), "/priority"),
        (submission(more=b', "priority": 1.5'), "/priority"),
        (submission(more=b', "priority": true'), "/priority"),
        (submission(more=b', "delay": -1'), "/delay"),
        (submission(more=b', "delay": 1e9'), "/delay"),
        (submission(more=b', "run_at": "2030-01-01T00:00:00"'), "/run_at"),
        (submission(more=b', "run_at": "soon"'), "/run_at"),
        (submission(more=b', "run_at": "9999-12-31T23:59:59-12:00"'), "/run_at"),
        (submission(more=b', "run_at": "2030-01-01T00:00:00Z", "delay": 1'), "/run_at"),
        (submission(more=b', "tags": "a"'), "/tags"),
        (submission(more=b', "tags": ["a", 1]'), "/tags/1"),
        (submission(more=b', "tags": ["a", "a"]'), "/tags"),
        (submission(more=b', "tags": [""]'), "/tags/0"),
        (submission(more=rb', "tags": ["\u0000"]'), "/tags/0"),
        (submission(more=rb', "tags": ["end\n"]'), "/tags/0"),
        (submission(more=b', "tags": ["' + b"x" * 101 + b'"]'), "/tags/0"),
        (
            submission(more=b', "tags": ' + json.dumps([str(n) for n in range(21)]).encode()),
            "/tags",
        ),
        (submission(more=b', "idempotency_key": "k"'), "/idempotency_key"),
    ],
)
def test_a_wrong_field_is_pointed_to(body: bytes, field: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_submission(body, LIMITS)
    assert caught.value.extra["field"] == field
    assert "`" not in caught.value.detail


def test_a_wrong_field_in_a_batch_is_pointed_to() -> None:
    body = b'{"tasks": [%s, %s]}'
    with pytest.raises(InvalidRequest) as caught:
        read_batch(body % (submission(), b'{"function": 2}'), LIMITS)
    assert caught.value.extra["field"] == "/tasks/1/function"
    with pytest.raises(InvalidRequest) as caught:
        read_batch(body % (submission(), submission(b"{}")), LIMITS)
    assert caught.value.extra["field"] == "/tasks/1/args"


def test_what_a_task_comes_after_is_a_list_of_ids_or_of_ids_with_rules() -> None:
    more = b', "after": ["a", {"task": "b", "on_failure": "skip"}], "on_failure": "go_on"'
    needs = read_submission(submission(more=more), LIMITS).comes_after
    assert [(need.task, need.on_failure) for need in needs] == [("a", None), ("b", "skip")]
    for wrong in (b"null", b'"a"', b'[""]', b'[{"task": "a", "on_failure": "hope"}]'):
        with pytest.raises(InvalidRequest) as caught:
            read_submission(submission(more=b', "after": ' + wrong), LIMITS)
        assert caught.value.extra["field"].startswith("/after")


def test_arguments_have_a_bound_in_bytes() -> None:
    fits = b'["' + b"x" * 994 + b'"]'
    read_submission(submission(fits), LIMITS)
    with pytest.raises(TooLarge):
        read_submission(submission(fits[:-2] + b'x"]'), LIMITS)


def test_a_batch_has_bounds() -> None:
    with pytest.raises(InvalidRequest):
        read_batch(b'{"tasks": []}', LIMITS)
    tasks = [b'{"function": "f"}'] * 4
    assert len(read_batch(b'{"tasks": [%s]}' % b",".join(tasks[:3]), LIMITS)) == 3
    with pytest.raises(TooLarge):
        read_batch(b'{"tasks": [%s]}' % b",".join(tasks), LIMITS)


def test_a_cancellation_may_have_no_body() -> None:
    assert read_cancel_request(b"", LIMITS).kill is False
    assert read_cancel_request(b'{"kill": true}', LIMITS).kill is True
    with pytest.raises(InvalidRequest):
        read_cancel_request(b'{"kil": true}', LIMITS)


@pytest.mark.parametrize("text", [b"[],", b"{},"])
def test_more_arrays_and_objects_than_anybody_needs_are_refused_unread(text: bytes) -> None:
    with pytest.raises(TooLarge, match="more than 100,000"):
        check(b"[" + text * 100_000 + b"[]]", depth=64)
    check(b"[" + text * 90_000 + b"[]]", depth=64)


def test_brackets_in_texts_count_for_nothing() -> None:
    check(b'["' + b"[{" * 200_000 + b'"]', depth=64)
