"""Text that was written for a terminal: what is left of it on pages, and how it looks there."""

import html
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooldeck_server.domain.terminal_text import plain
from pooldeck_server.web.text.terminal_text import coloured

_TAG = re.compile(r'<span class="[a-z -]+">|</span>')
WRITTEN = st.text(alphabet="\x1b[]m0123;:?\\\x07\r\n\t\x9b\x9c<>&\"'aHK é\u2028", max_size=80)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("nothing special", "nothing special"),
        ("\x1b[32mPASSED\x1b[0m 3, \x1b[1;31mFAILED\x1b[0m 1", "PASSED 3, FAILED 1"),
        ("\x9b31mred\x9bm", "red"),
        ("\x1b[2K\x1b[1A\x1b[10;20Hmoved", "moved"),
        ("\x1b[?25lhidden\x1b[?25h", "hidden"),
        ("\x1b]0;a title\x07text", "text"),
        ("\x1b]8;;https://a.example/\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9d0;a title\x9ctext", "text"),
        ("\x1bP1$r0m\x1b\\text", "text"),
        ("\x1b(B\x1b=\x1bMtext", "text"),
        ("cut off\x1b[3", "cut off"),
        ("cut off\x1b", "cut off"),
        ("\x1b]0;no end of it\nnext", "0;no end of it\nnext"),
        ("bell\x07 back\x08 null\x00 rubout\x7f", "bell back null rubout"),
        ("a\tb\nc", "a\tb\nc"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("\x1b[31mé😀\x1b[0m", "é😀"),
    ],
)
def test_what_only_a_terminal_would_obey_goes(written: str, shown: str) -> None:
    assert plain(written) == shown
    assert html.unescape(_TAG.sub("", coloured(written))) == shown


@pytest.mark.parametrize(
    ("code", "classes"),
    [
        ("31", "ansi-red"),
        ("1;31", "ansi-red ansi-bold"),
        ("31;1", "ansi-red ansi-bold"),
        ("97", "ansi-bright-white"),
        ("30;107", "ansi-black ansi-on-bright-white"),
        ("4;7;9", "ansi-reverse ansi-struck ansi-underline"),
        ("4:3", "ansi-underline"),
        ("38;5;1", "ansi-red"),
        ("38;5;208", "ansi-yellow"),
        ("38;5;250", "ansi-white"),
        ("48;5;21", "ansi-on-blue"),
        ("38;2;250;10;10", "ansi-bright-red"),
        ("38:2::250:10:10", "ansi-bright-red"),
        ("38:5:1", "ansi-red"),
        ("38;5;1;1", "ansi-red ansi-bold"),
    ],
)
def test_colours_and_marks_are_classes(code: str, classes: str) -> None:
    assert coloured(f"\x1b[{code}mx") == f'<span class="{classes}">x</span>'


NO_COLOUR = (
    *("", "0", "1;31;0", "31;39", "41;49", "1;22", "4;24", "4;4:0", "5", "8", "10", "73", "1234"),
    *("38", "38;5", "38;2;1", "48;2;0;0", ">4;1", "?1", ";;"),
)


@pytest.mark.parametrize("code", NO_COLOUR)
def test_what_ends_or_means_no_colour_leaves_none(code: str) -> None:
    assert coloured(f"\x1b[{code}mx") == "x"


def test_a_colour_lasts_until_it_is_changed() -> None:
    written = "a\x1b[32mb\x1b[1mc\x1b[39md\x1b[me"
    assert coloured(written) == (
        'a<span class="ansi-green">b</span><span class="ansi-green ansi-bold">c</span>'
        '<span class="ansi-bold">d</span>e'
    )


@pytest.mark.parametrize(
    "written",
    [
        "<script>alert(1)</script>",
        "\x1b[31m<img src=x onerror=alert(1)>\x1b[0m",
        '\x1b[3"onclick="alert(1)"1mx',
        "\x1b[31<b>m",
        "<\x1b[0mscript>alert(1)<\x1b[0m/script>",
        "<\x00script\x1b]0;\x07>",
        "\x1b]8;;javascript:alert(1)\x07<b>\x1b]8;;\x07",
    ],
)
def test_nothing_in_it_becomes_markup(written: str) -> None:
    rest = _TAG.sub("", coloured(written))
    assert not set("<>\"'") & set(rest)


@given(WRITTEN)
def test_in_colours_stands_the_same_text_as_without(written: str) -> None:
    rest = _TAG.sub("", coloured(written))
    assert not set("<>\"'\x1b\x9b\r") & set(rest)
    assert html.unescape(rest) == plain(written)


@pytest.mark.parametrize(
    "part", ["\x1b[", "\x1b]", "\x9d", "\x1b]\x9d", "\x1b[1", "\x1b[31m", "\r", ";"]
)
def test_the_longest_message_takes_no_longer_than_its_length(part: str) -> None:
    written = part * (65_536 // len(part))
    began = time.process_time()
    plain(written)
    coloured(written)
    assert time.process_time() - began < 5
