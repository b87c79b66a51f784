"""Escapes of JSON text are shown as the characters that they stand for."""

import json

import pytest

from pooldeck_server.web.pages.shared.json_text import json_text
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.json_escapes import unescaped


@pytest.mark.parametrize("text", ["研发中心", "naïve", "🏊 lane", "<b>&", 'a "quoted" \\ word'])
def test_text_that_was_sent_in_escapes_is_shown_as_it_reads(text: str) -> None:
    sent = json.dumps({"name": text})
    assert unescaped(sent) == json.dumps({"name": text}, ensure_ascii=False)
    assert formats.call_summary("[]", sent).startswith(f"name={json.dumps(text[:1])[:1]}{text[:1]}")
    assert "".join(piece for _, piece in json_text(sent).pieces) == unescaped(sent)


@pytest.mark.parametrize(
    "kept",
    [
        r'"\u0022"',  # would end the string
        r'"\u005c"',
        r'"\u0000\u001b\u202e"',  # cannot be seen, or turns what follows around
        r'"\ud800"',  # half of a pair
        r'"\\u4e2d"',  # a backslash and letters
    ],
)
def test_escapes_that_mean_something_else_stay(kept: str) -> None:
    assert unescaped(kept) == kept
