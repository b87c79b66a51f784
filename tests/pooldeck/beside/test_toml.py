"""Settings of a program, as `tomllib` reads them again."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooldeck.beside.toml import written

_NAMES = st.text(min_size=1).filter(str.isprintable)
_PLAIN = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(exclude_categories=["Cs"])),
)
_VALUES = st.one_of(_PLAIN, st.lists(_PLAIN), st.lists(st.dictionaries(_NAMES, _PLAIN)))
_TABLES = st.recursive(
    st.dictionaries(_NAMES, _VALUES), lambda inner: st.dictionaries(_NAMES, _VALUES | inner)
)


@given(_TABLES)
def test_what_is_written_reads_as_it_was(settings: dict[str, Any]) -> None:
    assert tomllib.loads(written(settings)) == settings


def test_paths_are_texts_and_none_is_nothing() -> None:
    assert tomllib.loads(written({"data": Path("/a"), "token": None})) == {"data": "/a"}


def test_what_can_be_no_setting_is_refused_by_its_name() -> None:
    with pytest.raises(TypeError, match=r"pools\.cpu\.size"):
        written({"pools": {"cpu": {"size": object()}}})
