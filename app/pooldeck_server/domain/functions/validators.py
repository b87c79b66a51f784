"""What checks values against a JSON Schema."""

from contextlib import suppress
from typing import Any, Final

import jsonschema_rs

from pooldeck_server.domain.functions import formats

_CHECKS: Final = formats.checks()


def validator_for(schema: dict[str, Any]) -> jsonschema_rs.Validator:
    """Return what checks values.

    A pattern that only Python understands is left to the worker, and so is all else where somebody
    has registered a type with a schema that is none.
    """

    def compiled(schema: dict[str, Any]) -> jsonschema_rs.Validator:
        return jsonschema_rs.validator_for(
            schema, offline=True, validate_formats=True, formats=_CHECKS
        )

    for each in (schema, _without_patterns(schema)):
        with suppress(jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError):
            return compiled(each)
    return compiled({})


def _without_patterns(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_patterns(each) for each in value]
    if isinstance(value, dict):
        return {
            key: _without_patterns(each)
            for key, each in value.items()
            if key != "pattern" or not isinstance(each, str)
        }
    return value
