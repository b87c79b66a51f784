"""Which failures are alike, whatever their texts are."""

import json
import time
import traceback
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooldeck.outcome import Error, ErrorKind
from pooldeck_server.domain.failures.error_groups import (
    CHANGES,
    GroupKey,
    GroupState,
    group_of,
    masked,
)
from pooldeck_server.domain.failures.raised_at import place_of

TEXTS = st.text(max_size=300)
KINDS = st.sampled_from(list(ErrorKind))


def raised(function: Callable[[], object]) -> str:
    """Return the traceback that Python prints of what `function` raises."""
    try:
        function()
    except Exception:  # noqa: BLE001 - whatever it is
        return traceback.format_exc()
    raise AssertionError("it raised nothing")


def group(message: str = "no", text: str | None = None, **more: str) -> GroupKey:
    kind = ErrorKind(more.pop("kind", "exception"))
    function = more.pop("function", "acme.work")
    return group_of(Error(kind, more.pop("type", "ValueError"), message, text), function)


# Any text.


@given(KINDS, TEXTS, TEXTS, st.none() | TEXTS)
def test_every_error_has_a_group_and_always_the_same(
    kind: ErrorKind, type_: str, message: str, text: str | None
) -> None:
    error = Error(kind, type_, message, text)
    found = group_of(error, "acme.work")
    assert found == group_of(error, "acme.work")
    assert len(found.id) == 16
    assert int(found.id, 16) >= 0
    assert max(map(len, (found.type, found.place, found.message))) <= 300


@given(st.lists(st.integers() | st.uuids() | st.floats(allow_nan=False), min_size=1, max_size=4))
def test_numbers_and_ids_do_not_tell_groups_apart(values: list[object]) -> None:
    (first, *rest) = (masked(f"row {value} of table is bad") for value in values)
    assert first == "row # of table is bad" or "inf" in str(values)
    assert all(each == first for each in rest) or "inf" in str(values)


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_the_number_of_a_line_does_not_tell_groups_apart(one: int, other: int) -> None:
    frame = 'Traceback (most recent call last):\n  File "/srv/acme/jobs.py", line {}, in work\n'
    assert group(text=frame.format(one)) == group(text=frame.format(other))


HOSTILE = [
    'File "' * 60_000,
    'File "' + "a" * 300_000,
    'File "x", line 1, in y\n' * 12_000,
    "Current thread " * 20_000,
    "Traceback (most recent call last)" * 9_000,
    "'" * 300_000,
    "'a" * 150_000,
    "1.1." * 70_000,
    "a1" * 150_000,
    "# #" * 90_000,
    "/" * 300_000,
    "http://" * 40_000,
    "-" * 300_000,
    " " * 300_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: text[:8])
def test_no_text_takes_long(text: str) -> None:
    began = time.thread_time()
    found = group_of(Error(ErrorKind.EXCEPTION, text, text, text), "acme.work")
    assert time.thread_time() - began < 0.5
    assert len(found.message) <= 300


# Messages.


@pytest.mark.parametrize(
    ("message", "kept"),
    [
        ("row 17 of 4,096 is bad", "row # of # is bad"),
        ("took -1.5e-07 s", "took # s"),
        ("at 2026-11-30T09:15:02.25 and 2026-11-30 09:15:02", "at # and #"),
        ("task 0199b3a2-7c10-7b4e-9f8e-2d64a7c0ffee", "task #"),
        ("<Job object at 0x7f3a2b1c>", "<Job object at #>"),
        ("commit 3f9a1c22b7 is gone", "commit # is gone"),
        ("'customer_id'", "'…'"),
        ("unknown mode 'x'", "unknown mode 'x'"),
        ("can't open a file that doesn't exist", "can't open a file that doesn't exist"),
        (
            "'NoneType' object has no attribute 'shape'",
            "'NoneType' object has no attribute 'shape'",
        ),
        (
            "[Errno 2] No such file or directory: '/in/a.png'",
            "[Errno #] No such file or directory: '…'",
        ),
        ("cannot read /var/in/8231.png: truncated", "cannot read /…: truncated"),
        (
            "GET https://api.example.org/users/17?x=1 gave 503",
            "GET https://api.example.org/… gave #",
        ),
        ("expected one of [1, 2, 3]", "expected one of [#]"),
        ("expected 'north', 'south' or 'west'", "expected '…' or '…'"),
        ("two\n  lines\0", "two lines"),
        ("worker cpu-17 (pid 4242) was killed", "worker cpu-# (pid #) was killed"),
        ("", ""),
    ],
)
def test_what_varies_in_a_message_is_masked_and_the_rest_is_kept(message: str, kept: str) -> None:
    assert masked(message) == kept


# Places.


def test_the_place_is_the_innermost_frame_of_the_user() -> None:
    def parse() -> object:
        return json.loads("{")

    assert place_of(raised(parse)) == "failures/test_error_groups.py:parse"


def test_the_place_is_that_of_the_error_and_not_of_its_cause() -> None:
    def convert() -> object:
        try:
            return json.loads("{")
        except ValueError as error:
            raise LookupError("no") from error

    def fetch() -> object:
        return convert()

    assert place_of(raised(fetch)) == "failures/test_error_groups.py:convert"


def test_the_place_of_an_exception_group_is_where_the_group_was_raised() -> None:
    def member() -> Exception:
        try:
            json.loads("{")
        except ValueError as error:
            return error
        raise AssertionError

    def gather() -> object:
        raise ExceptionGroup("several", [member()])

    assert place_of(raised(gather)) == "failures/test_error_groups.py:gather"


FAULT = """Fatal Python error: Segmentation fault

Thread 0x00007f1a (most recent call first):
  File "/srv/acme/other.py", line 3 in idle

Current thread 0x00007f1b (most recent call first):
  File "/usr/lib/python3.11/ctypes/__init__.py", line 519 in string_at
  File "/srv/acme/jobs.py", line 10 in render
  File "/srv/acme/jobs.py", line 4 in outer

Extension modules: _cffi_backend
"""


def test_the_place_of_a_crash_is_where_the_thread_at_fault_was() -> None:
    assert place_of(FAULT) == "acme/jobs.py:render"


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("/srv/acme/jobs.py", "acme/jobs.py:work"),
        ("C:\\acme\\jobs.py", "acme/jobs.py:work"),
        ("jobs.py", "jobs.py:work"),
        ("/srv/pooldeck/examples/web.py", "examples/web.py:work"),
        ("/srv/venv/lib/python3.11/site-packages/acme/jobs.py", "own.py:outer"),
        ("/usr/lib/python3/dist-packages/acme.py", "own.py:outer"),
        ("/usr/lib/python3.11/json/decoder.py", "own.py:outer"),
        ("/srv/pooldeck/pooldeck/worker/runs.py", "own.py:outer"),
        ("/srv/pooldeck/context.py", "own.py:outer"),
        ("<frozen importlib._bootstrap>", "own.py:outer"),
    ],
)
def test_libraries_are_no_place_where_own_code_called_them(file: str, place: str) -> None:
    text = (
        "Traceback (most recent call last):\n"
        '  File "own.py", line 1, in outer\n    work()\n'
        f'  File "{file}", line 2, in work\n    raise OSError\n'
        "OSError\n"
    )
    assert place_of(text) == place


def test_where_all_is_a_library_the_innermost_frame_is_the_place() -> None:
    text = '  File "/usr/lib/python3.11/a/b.py", line 1, in inner\n'
    assert place_of(text) == "a/b.py:inner"


@pytest.mark.parametrize("text", ["", "no traceback", 'File "x"', 'File "x", line y, in z'])
def test_other_text_has_no_place(text: str) -> None:
    assert place_of(text) is None


def test_without_a_traceback_the_function_stands_for_the_place() -> None:
    assert group(kind="timeout").place == "acme.work"
    assert group(kind="timeout").id != group(kind="timeout", function="acme.other").id


@pytest.mark.parametrize("kind", ["interrupted", "bystander"])
def test_what_hits_functions_from_outside_is_one_group_for_all(kind: str) -> None:
    assert group(kind=kind) == group(kind=kind, function="acme.other")
    assert group(kind=kind).place == ""


# Decisions.


def test_every_state_can_be_left_and_only_failures_bring_a_group_back() -> None:
    assert frozenset().union(*(before for before, _ in CHANGES.values())) == frozenset(GroupState)
    assert {after for _, after in CHANGES.values()} == set(GroupState) - {GroupState.RETURNED}
    assert all(after not in before for before, after in CHANGES.values())
