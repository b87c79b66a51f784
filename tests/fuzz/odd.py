"""Values that somebody has not thought of."""

import json
from typing import Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

_NUMBERS: Final = [
    "-1",
    "0",
    "1",
    "2",
    "900",
    "0.5",
    "-0",
    "+1",
    " 1 ",
    "1_000",
    "0x10",
    "1e3",
    "1e400",
    "NaN",
    "-inf",
    "٣",
    "²",
    str(2**31),
    str(2**63 - 1),
    str(2**63),
    str(-(2**63) - 1),
    str(2**64),
    "9" * 400,
    "9" * 5000,
]
_MOMENTS: Final = [
    "2026-11-29T00:00:00Z",
    "2026-11-29T00:00:00",
    "2026-11-29",
    "2026-02-30T00:00:00Z",
    "0000-00-00T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "0001-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "9999-12-31T23:59:59-23:59",
    "9999-12-31T23:59:59.999999999Z",
    "+275760-09-13T00:00:00Z",
]
_WORDS: Final = [
    "",
    " ",
    "true",
    "null",
    "[]",
    "{}",
    '{"a":1}',
    "\x00",
    "\x1b[31m",
    "\u202e",
    "😀",
    "a\r\nSet-Cookie: pooldeck=b",
    ".",
    "..",
    "../../../etc/passwd",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "<script>alert(1)</script>",
    "\"'`",
    "%",
    "%s%n",
    "{{7*7}}",
    "' OR 1=1 --",
    "%00",
    "*",
    "a:b:c",
    "x" * 300,
    "x" * 5000,
]
_NOT_UTF8: Final = [b"\xff", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"]
JSON_BODIES: Final = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"{}",
    b'""',
    b"NaN",
    b"1e400",
    b"-0",
    b'{"a":1,"a":2}',
    b'{"ids":' + b"[" * 200 + b"]" * 200 + b"}",
    b"[" * 20_000,
    b'{"ids":[' + b"[]," * 20_000 + b"[]]}",
    b'{"size":9223372036854775808}',
    b'{"size":' + b"9" * 4400 + b"}",
    b'{"reason":"\\ud800"}',
    b'{"reason":"\\u0000"}',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b'{"filter":{"since":"0001-01-01T00:00:00+23:59"}}',
    b'{"filter":{"until":"9999-12-31T23:59:59-23:59","text":"%"}}',
    b'{"function":"web_functions.add","args":[1],"delay":1e308}',
    b'{"function":"web_functions.add","args":[1],"run_at":"9999-12-31T23:59:59-23:59"}',
    b'{"function":"web_functions.add","args":[1],"timeout":1e-320,"retries":9223372036854775808}',
    b'{"function":"web_functions.add","args":[1],"priority":-9223372036854775809}',
    b'{"function":"web_functions.add","args":[1],"tags":["\\u0000",""]}',
    b'{"function":"web_functions.echo","args":["\\u0000 \xf0\x9f\x98\x80 1e-400"]}',
    b'{"function":"web_functions.echo","args":[18446744073709551616,' + b"9" * 4000 + b"]}",
]

TEXTS: Final = [*(text.encode() for text in (*_NUMBERS, *_MOMENTS, *_WORDS)), *_NOT_UTF8]
"""Those that have been found to matter somewhere."""

values: SearchStrategy[bytes] = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(TEXTS),
    st.sampled_from(TEXTS),
    st.integers().map(lambda number: b"%d" % number),
    st.floats().map(lambda number: repr(number).encode()),
    st.datetimes().map(lambda moment: f"{moment.isoformat()}Z".encode()),
    st.text(max_size=20).map(lambda text: text.encode(errors="surrogatepass")),
    st.binary(max_size=20),
)
"""What may stand where a text, a number or a time is wanted."""

header_values: SearchStrategy[bytes] = st.one_of(
    values.map(lambda value: bytes(byte for byte in value if byte >= 0x20 and byte != 0x7F)),
    st.sampled_from([b"a=b;" * 100, b'"\\"' * 50, b",;=" * 50, b"x" * 9000]),
)
"""The same, as far as HTTP lets it stand in a header."""

json_bodies: SearchStrategy[bytes] = st.one_of(
    st.sampled_from(JSON_BODIES),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=50),
)
"""What may stand where JSON is wanted."""
