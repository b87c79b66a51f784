"""JSON and tracebacks as a page shows them."""

import json
import time
import timeit
from collections.abc import Callable

import pytest

from pooldeck_server.web.pages.shared.json_text import json_text
from pooldeck_server.web.pages.shared.tracebacks import folded_parts, traceback_parts


def shown(text: str) -> str:
    return "".join(piece for _, piece in json_text(text).pieces)


# JSON.


def test_json_is_shown_with_its_lines_broken_and_short_lists_on_one() -> None:
    assert shown('{"size":[640,480],"boxes":[[1,2],{"a":null}],"no":{},"none":[ ]}') == (
        '{\n  "size": [640, 480],\n  "boxes": [\n    [1, 2],\n    {"a": null}\n  ],\n'
        '  "no": {},\n  "none": []\n}'
    )


def test_each_piece_of_json_says_what_it_is() -> None:
    pieces = json_text('{"a": ["b", -1.5e+3, true, null]}').pieces
    assert [each for each in pieces if each[0]] == [
        ("key", '"a"'),
        ("string", '"b"'),
        ("number", "-1.5e+3"),
        ("literal", "true"),
        ("literal", "null"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "12345678901234567890.10",
        r'"a \" } ] , \u200e \\"',
        '["]","[",{"x":"{"}]',
        '{"b":1,"a":2,"b ":3}',
        "[[[[[]]]]]",
        '"two\\nlines"',
    ],
)
def test_numbers_escapes_and_order_stay_as_they_were_sent(text: str) -> None:
    assert json.loads(shown(text), parse_float=str, parse_int=str) == json.loads(
        text, parse_float=str, parse_int=str
    )
    assert shown(text).replace("\n", "").replace(" ", "") == text.replace(" ", "")


def test_a_large_value_shows_its_beginning_and_says_so() -> None:
    text = json.dumps([{"n": n, "name": "x" * 60} for n in range(5000)])
    large = json_text(text)
    assert large.is_cut
    assert len(shown(text)) < 30_000
    assert shown(text).startswith('[\n  {\n    "n": 0,')


def test_one_endless_string_is_cut_too() -> None:
    large = json_text(json.dumps(["x" * 1_000_000]))
    assert large.is_cut
    assert large.size == "976 KiB"
    assert sum(len(piece) for _, piece in large.pieces) < 3000


@pytest.mark.parametrize("unit", ["x", "\n", '"', "\\"])
def test_a_string_is_looked_at_no_further_than_it_is_shown(unit: str) -> None:
    """A megabyte of escapes took half a second, in which everybody else waited."""
    value = {"before": 1, "text": unit * 500_000}
    text = json.dumps(value)

    def seconds(work: Callable[[], object]) -> float:
        return min(timeit.repeat(work, timer=time.process_time, number=1, repeat=5))

    large = json_text(text)
    assert large.is_cut
    assert '"before": 1' in "".join(piece for _, piece in large.pieces)
    assert large.pieces[-1][1].endswith("…")
    assert seconds(lambda: json_text(text)) < 20 * seconds(lambda: json.dumps(value))


def test_a_value_that_ends_within_a_cut_string_says_so() -> None:
    large = json_text(json.dumps(["x" * 19_000] * 20))
    assert large.is_cut
    assert large.pieces[-1][1].endswith("…")


def test_a_small_value_is_whole() -> None:
    small = json_text('{"a": 1}')
    assert (small.is_cut, small.lines, small.size) == (False, 1, "8 B")


def test_each_list_and_object_of_several_lines_can_be_folded_and_no_other() -> None:
    text = '{"a": {"long": "' + "x" * 90 + '"}, "b": [1, 2], "c": "["}'
    folds = [(line.opens, line.closes) for line in json_text(text).tree]
    assert folds == [
        (5, False),
        (1, False),
        (0, False),
        (0, True),
        (0, False),
        (0, False),
        (0, True),
    ]


def test_what_is_cut_can_be_folded_to_its_end() -> None:
    cut = json_text("[" + ", ".join(['{"word": "' + "x" * 90 + '"}'] * 900) + "]")
    assert cut.is_cut
    assert cut.tree[0].opens == len(cut.tree) - 1


# Tracebacks.

_TRACEBACK = """\
Traceback (most recent call last):
  File "/home/ann/jobs.py", line 7, in work
    return json.loads(text)
           ^^^^^^^^^^^^^^^^
  File "/usr/lib/python3.11/json/__init__.py", line 346, in loads
    return _default_decoder.decode(s)
  File "/srv/venv/lib/python3.11/site-packages/acme/x.py", line 1, in <module>
  File "<frozen importlib._bootstrap>", line 1, in f
ValueError: no
  with a second line
"""


def test_own_frames_are_told_from_those_of_libraries_and_nothing_is_lost() -> None:
    parts = traceback_parts(_TRACEBACK)
    assert "".join(text for _, text in parts) == _TRACEBACK
    assert [whose for whose, _ in parts] == ["", "own", "library", ""]
    assert parts[1][1].startswith('  File "/home/ann/jobs.py"')
    assert parts[1][1].endswith("^\n")


def test_frames_of_libraries_are_folded_unless_there_are_no_others() -> None:
    assert [part.folded for part in folded_parts(_TRACEBACK)] == [0, 0, 3, 0]
    only = "".join(text for owner, text in traceback_parts(_TRACEBACK) if owner != "own")
    assert [part.folded for part in folded_parts(only)] == [0, 0, 0]


def test_a_text_without_frames_is_one_part() -> None:
    assert traceback_parts("") == ()
    assert traceback_parts("Fatal Python error: Segmentation fault\n") == (
        ("", "Fatal Python error: Segmentation fault\n"),
    )
