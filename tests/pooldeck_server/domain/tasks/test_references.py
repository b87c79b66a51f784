"""References inside arguments: found wherever they stand, replaced without touching the rest."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pooldeck_server.domain.errors import InvalidRequest
from pooldeck_server.domain.tasks.references import holds_item, kept, names_in, refers, written

REFERENCE = {"$result": "a"}
ITEM = {"$item": True}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def test_references_are_found_wherever_they_stand_each_as_often() -> None:
    value = [REFERENCE, {"x": [1, {"$result": "b"}]}, {"y": REFERENCE}]
    assert list(names_in(value)) == ["a", "b", "a"]
    assert refers(value)
    assert not refers([{"$result": "a", "more": 1}, {"result": "a"}, "$result"])


def test_an_item_is_no_result() -> None:
    assert holds_item({"deep": [ITEM]})
    assert refers(ITEM)
    assert not list(names_in(ITEM))
    assert not holds_item([{"$item": False}, {"$item": True, "more": 1}])


def test_a_reference_that_names_nothing_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="string"):
        list(names_in([{"$result": 5}]))


def test_results_are_spliced_in_as_they_are_written() -> None:
    text = written({"in": [REFERENCE, ITEM, 1.5]}, lambda name: f'"{name}"  ', item="1.50e1")
    assert text == '{"in":["a"  ,1.50e1,1.5]}'


def test_an_item_stays_where_none_is_given_and_a_result_where_it_is_not_known() -> None:
    assert json.loads(written([REFERENCE, ITEM], kept)) == [REFERENCE, ITEM]


@given(JSON)
def test_what_holds_no_reference_comes_back_as_it_was(value: object) -> None:
    if not refers(value):
        assert json.loads(written(value, kept, item="0")) == value
