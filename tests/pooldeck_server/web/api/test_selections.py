"""Which tasks a change of many is for, and what is to be set for a pool: bodies."""

import pytest
from fastapi import Request
from msgspec import Raw

from pooldeck_server.domain.errors import InvalidRequest, MalformedJson, PooldeckError, TooLarge
from pooldeck_server.domain.tasks.filter import Sort, TaskFilter
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.settings import MAX_POOL_SIZE, LimitSettings, PoolSettings
from pooldeck_server.web.api.bodies import (
    PoolChange,
    read_pool_change,
    read_submission,
)
from pooldeck_server.web.api.filters import TaskQuery
from pooldeck_server.web.api.queries import read_query
from pooldeck_server.web.api.selections import BulkCancel, BulkRetry, read_selection, selected

LIMITS = LimitSettings(batch_tasks=3)


def test_a_filter_of_a_body_says_what_the_same_query_says() -> None:
    body = b"""{"filter": {"state": ["failed", "lost"], "function": ["a.b"], "pool": ["io"],
        "tag": ["x"], "error": ["timeout"], "q": "word",
        "since": "1970-01-01T00:00:01Z", "until": "1970-01-01T01:00:02+01:00"}}"""
    query = (
        b"state=failed&state=lost&function=a.b&pool=io&tag=x&error=timeout&q=word"
        b"&since=1970-01-01T00:00:01Z&until=1970-01-01T01:00:02%2B01:00&limit=7"
    )
    asked = read_query(TaskQuery, Request({"type": "http", "query_string": query}))
    wanted = selected(read_selection(BulkRetry, body, LIMITS))
    assert (asked.as_filter(), asked.limit, asked.sort) == (wanted, 7, Sort.CREATED)
    assert wanted == TaskFilter(
        states=(State.FAILED, State.LOST),
        functions=("a.b",),
        pools=("io",),
        tags=("x",),
        errors=("timeout",),
        text="word",
        since=1_000_000,
        until=2_000_000,
    )


def test_ids_are_taken_as_they_are_named() -> None:
    assert selected(read_selection(BulkCancel, b'{"ids": ["b", "a"]}', LIMITS)) == ("b", "a")
    assert selected(read_selection(BulkCancel, b'{"ids": []}', LIMITS)) == ()


def test_all_is_meant_only_where_it_is_said() -> None:
    assert selected(read_selection(BulkRetry, b'{"all": true}', LIMITS)) == TaskFilter()


def test_a_cancellation_of_many_kills_only_where_it_says_so() -> None:
    assert read_selection(BulkCancel, b'{"all": true, "kill": true}', LIMITS).kill
    assert not read_selection(BulkCancel, b'{"all": true}', LIMITS).kill


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        (b"", MalformedJson, "empty"),
        (b"{}", InvalidRequest, '"all": true'),
        (b'{"all": false}', InvalidRequest, '"all": true'),
        (b'{"filter": {}}', InvalidRequest, '"all": true'),
        (b'{"filter": {"state": [], "q": ""}}', InvalidRequest, '"all": true'),
        (b'{"filter": {"state": ["done"]}}', InvalidRequest, "filter/state/"),
        (b'{"filter": {"states": ["failed"]}}', InvalidRequest, "filter/states"),
        (b'{"filter": {"since": "yesterday"}}', InvalidRequest, "filter/since"),
        (b'{"filter": {"since": "2026-01-01T00:00:00"}}', InvalidRequest, "filter/since"),
        (b'{"ids": ["a"], "all": true}', InvalidRequest, "only one"),
        (b'{"ids": ["a"], "filter": {"state": ["lost"]}}', InvalidRequest, "only one"),
        (b'{"ids": ["a", "b", "c", "d"]}', TooLarge, "3"),
        (b'{"ids": ["a"], "kill": true}', InvalidRequest, "kill"),
        (b'{"all": true, "all": true}', MalformedJson, "twice"),
    ],
)
def test_a_body_that_does_not_say_which_tasks_is_refused(
    body: bytes, error: type[PooldeckError], words: str
) -> None:
    with pytest.raises(error, match=words):
        read_selection(BulkRetry, body, LIMITS)


def test_a_pool_is_told_its_size_or_to_pause_or_both() -> None:
    assert read_pool_change(b'{"size": 8}', LIMITS) == PoolChange(size=8)
    assert read_pool_change(b'{"paused": false}', LIMITS) == PoolChange(paused=False)
    assert read_pool_change(b'{"size": 1, "paused": true}', LIMITS) == PoolChange(1, paused=True)


@pytest.mark.parametrize(
    "body", [b"{}", b'{"size": null}', b'{"size": 0}', b'{"size": 1001}', b'{"sizes": 2}', b"[]"]
)
def test_a_change_that_sets_nothing_or_too_much_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        read_pool_change(body, LIMITS)


def test_a_pool_may_become_as_large_as_the_settings_allow_and_no_larger() -> None:
    assert PoolSettings(kind="process", size=MAX_POOL_SIZE).size == MAX_POOL_SIZE
    with pytest.raises(ValueError, match="less than or equal"):
        PoolSettings(kind="process", size=MAX_POOL_SIZE + 1)


def test_a_submission_may_have_a_timeout_and_retries_of_its_own() -> None:
    body = b'{"function": "a.b", "args": [1], "timeout": 1.5, "retries": 2}'
    submission = read_submission(body, LIMITS)
    assert (submission.args, submission.timeout, submission.retries) == (Raw(b"[1]"), 1.5, 2)


@pytest.mark.parametrize(
    "field", ['"timeout": 0', '"timeout": -1', '"retries": -1', '"retries": 101', '"retries": 1.5']
)
def test_options_of_a_submission_have_bounds(field: str) -> None:
    with pytest.raises(InvalidRequest, match=field.split('"')[1]):
        read_submission(b'{"function": "a.b", %s}' % field.encode(), LIMITS)
