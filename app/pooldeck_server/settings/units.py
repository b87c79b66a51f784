"""What a number counts, where the name of its setting does not say so.

Of a name such as `grace_seconds` or `body_bytes` it is a part; docs/reference.md has both.
"""

from typing import Any

from pydantic import Field

UNIT = "unit"
"""The word of a setting's JSON Schema that has its unit."""


def unit(name: str | None) -> Any:
    """Return what in `Annotated` says what a number counts, such as "tasks"; "" if nothing."""
    return Field(json_schema_extra={UNIT: name})
