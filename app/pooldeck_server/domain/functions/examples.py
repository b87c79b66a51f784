"""Examples of what a JSON Schema takes, for people who see no code."""

import math
import re
from collections.abc import Iterator
from typing import Any, Final

from pooldeck_server.domain.functions.formats import EXAMPLES
from pooldeck_server.domain.functions.validators import validator_for

_DEEPEST: Final = 4
_NULL: Final = {"type": "null"}
_TEXTS: Final = ("text", "a", "A", "1", "12", "123", "1234", "a1", "A-1", "AB", "ABC", "a@b.co")


def example(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    """Return a value that a schema takes, as far as can be told; `definitions` are its `$defs`."""
    return _Examples(definitions).of(schema, 0)


def fits(value: Any, schema: dict[str, Any], definitions: dict[str, Any]) -> bool:
    """Tell whether a schema takes a value."""
    return validator_for(schema | {"$defs": definitions}).is_valid(value)


class _Examples:
    def __init__(self, definitions: dict[str, Any]) -> None:
        self._definitions = definitions

    def of(self, schema: dict[str, Any], depth: int) -> Any:
        schema = self._whole(schema)
        for key in ("const", "default"):
            if key in schema:
                return schema[key]
        for key in ("enum", "examples"):
            if schema.get(key):
                return schema[key][0]
        options = schema.get("anyOf") or schema.get("oneOf")
        return (
            self.of(_option(options, depth), depth + 1) if options else self._typed(schema, depth)
        )

    def _whole(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return a schema with what it refers to."""
        for _ in range(_DEEPEST):
            if "$ref" not in schema:
                break
            name = str(schema["$ref"]).rpartition("/")[2]
            rest = {key: each for key, each in schema.items() if key != "$ref"}
            schema = self._definitions.get(name, {}) | rest
        for part in schema.get("allOf", ()):
            schema = self._whole(part) | schema
        return schema

    def _typed(self, schema: dict[str, Any], depth: int) -> Any:
        kind = schema.get("type")
        match kind[0] if isinstance(kind, list) else kind:
            case "array":
                return self._array(schema, depth)
            case "object":
                return dict(self._object(schema, depth))
            case "string":
                return _text(schema)
            case "integer" | "number" as name:
                return _number(schema, whole=name == "integer")
            case "boolean":
                return True
        return None

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        first = schema.get("prefixItems", [])
        found = [self.of(each, depth + 1) for each in first]
        items = schema.get("items")
        if isinstance(items, dict) and depth < _DEEPEST and not first:
            number = max(schema.get("minItems", 1), 1)
            found = [self.of(items, depth + 1)] * number
        return found

    def _object(self, schema: dict[str, Any], depth: int) -> Iterator[tuple[str, Any]]:
        required = schema.get("required", ())
        for key, each in schema.get("properties", {}).items():
            if depth < _DEEPEST or key in required:
                yield key, self.of(each, depth + 1)
        values = schema.get("additionalProperties")
        if isinstance(values, dict) and depth < _DEEPEST:
            names = {"type": "string", "default": "name"} | schema.get("propertyNames", {})
            if "propertyNames" in schema:
                del names["default"]
            yield self.of(names, depth + 1), self.of(values, depth + 1)


def _option(options: list[dict[str, Any]], depth: int) -> dict[str, Any]:
    """Return the first of several schemas; deep inside null, where that is one of them."""
    return _NULL if depth >= _DEEPEST and _NULL in options else options[0]


def _text(schema: dict[str, Any]) -> str:
    if schema.get("format") in EXAMPLES:
        return EXAMPLES[schema["format"]]
    least, most = schema.get("minLength", 0), schema.get("maxLength", math.inf)
    texts = [each for each in _TEXTS if least <= len(each) <= most]
    if pattern := schema.get("pattern"):
        texts = [each for each in texts if _matches(pattern, each)]
    return texts[0] if texts else "x" * least


def _matches(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False


def _number(schema: dict[str, Any], *, whole: bool) -> int | float:
    """Return a number within bounds: 1 if that is, else near the lower one."""
    low = schema.get("minimum", schema.get("exclusiveMinimum", -math.inf))
    high = schema.get("maximum", schema.get("exclusiveMaximum", math.inf))
    step = schema.get("multipleOf", 1)
    candidates = [1, step, low, low + 1, (low + high) / 2, high, high - 1, 0]
    if math.isfinite(low):
        candidates.append(math.ceil(low / step) * step)
        candidates.append((math.floor(low / step) + 1) * step)
    if math.isfinite(high):
        candidates.append(math.floor(high / step) * step)
    for each in candidates:
        if math.isfinite(each) and _is_within(each, schema, whole=whole):
            return int(each) if whole else float(each)
    return 1


def _is_within(number: float, schema: dict[str, Any], *, whole: bool) -> bool:
    step = schema.get("multipleOf")
    return (
        schema.get("minimum", -math.inf) <= number <= schema.get("maximum", math.inf)
        and schema.get("exclusiveMinimum", -math.inf) < number
        and number < schema.get("exclusiveMaximum", math.inf)
        and (not whole or number == int(number))
        and (step is None or number % step == 0)
    )
