"""Rows of CSV, for files that are sent in pieces and opened in spreadsheets."""

import csv
import io
from collections.abc import Iterable
from typing import Any, Final

import msgspec

FORMATS: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
"""The media types of exported files, by the names of their formats."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
_encode: Final = msgspec.json.Encoder().encode


def json_lines(items: Iterable[Any]) -> bytes:
    return b"".join(_encode(item) + b"\n" for item in items)


def csv_rows(rows: Iterable[Iterable[Any]]) -> bytes:
    """Return rows of values; no spreadsheet takes one of them for a formula."""
    text = io.StringIO()
    csv.writer(text).writerows(map(_cell, row) for row in rows)
    return text.getvalue().encode(errors="replace")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    text = _encode(value).decode() if isinstance(value, dict | list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
