"""References inside arguments: `{"$result": NAME}` to a result, `{"$item": true}` to an item.

They are looked for in decoded JSON, and replaced while it is written: results are spliced in as the
texts that they are stored as, so that nothing in them is changed.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

from pooldeck_server.domain.errors import InvalidRequest

RESULT: Final = "$result"
ITEM: Final = "$item"
_MARK: Final = f'"{RESULT}"'.encode()

Replace = Callable[[str], str]
"""Gives the JSON text that stands for a name."""


def may_refer(args: bytes, kwargs: bytes) -> bool:
    """Tell, at the price of a search for bytes, whether JSON texts could refer to results."""
    return _MARK in args or _MARK in kwargs


def result_named(value: Any) -> str | None:
    """Return the name of the result that `value` refers to; None if it is no such reference.

    Raises:
        InvalidRequest: If it looks like one and names nothing.
    """
    if not isinstance(value, dict) or len(value) != 1 or RESULT not in value:
        return None
    name = value[RESULT]
    if not isinstance(name, str):
        raise InvalidRequest(
            f'{RESULT}: expected a string, as in {{"{RESULT}": "the id of a task"}}'
        )
    return name


def is_item(value: Any) -> bool:
    """Tell whether `value` stands for an item of a list that a step goes over."""
    return isinstance(value, dict) and value == {ITEM: True}


def names_in(value: Any) -> Iterator[str]:
    """Yield the names of the results that decoded JSON refers to, in its order.

    Raises:
        InvalidRequest: If a reference names nothing.
    """
    if (name := result_named(value)) is not None:
        yield name
    elif isinstance(value, dict):
        for member in value.values():
            yield from names_in(member)
    elif isinstance(value, list):
        for member in value:
            yield from names_in(member)


def refers(value: Any) -> bool:
    """Tell whether decoded JSON holds any reference, to a result or to an item."""
    return any(True for _ in names_in(value)) or holds_item(value)


def holds_item(value: Any) -> bool:
    """Tell whether decoded JSON holds a reference to an item."""
    if is_item(value):
        return True
    if isinstance(value, dict):
        return any(map(holds_item, value.values()))
    return isinstance(value, list) and any(map(holds_item, value))


def written(value: Any, result: Replace, item: str | None = None) -> str:
    """Return decoded JSON, of a bounded depth, as text in which references are replaced.

    Those to an item stay as they are where `item` is None.
    """
    if (name := result_named(value)) is not None:
        return result(name)
    if item is not None and is_item(value):
        return item
    if isinstance(value, dict):
        members = (f"{_text(name)}:{written(each, result, item)}" for name, each in value.items())
        return f"{{{','.join(members)}}}"
    if isinstance(value, list):
        return f"[{','.join(written(each, result, item) for each in value)}]"
    return _text(value)


def kept(name: str) -> str:
    """Return the text of a reference to a result, for where it is not known yet."""
    return _text({RESULT: name})


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
