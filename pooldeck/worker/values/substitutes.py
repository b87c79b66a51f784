"""What stands for an object in a result: one small function for each way that a class needs."""

import base64
import dataclasses
from datetime import timedelta
from typing import Any

import msgspec


def isoformat(value: Any) -> str:
    """Return a date or a time as text; it need not be one of the standard library."""
    text: str = value.isoformat()
    return text


def duration(value: timedelta) -> str:
    """Return a duration as ISO 8601 has it, as "PT90S", whatever a subclass adds to it."""
    plain = timedelta(value.days, value.seconds, value.microseconds)
    text: str = msgspec.to_builtins(plain)
    return text


def base64_text(value: Any) -> str:
    return base64.b64encode(value).decode()


def complex_text(value: complex) -> str:
    return str(complex(value)).strip("()")


def enum_value(value: Any) -> Any:
    return value.value


def nothing(_value: Any) -> None:
    """Stand for what says of itself that it is missing."""


def item(value: Any) -> Any:
    """Return the number of Python's that one of numpy's is."""
    plain = value.item()
    return complex(plain) if type(plain) is type(value) else plain


def to_list(value: Any) -> Any:
    return value.tolist()


def polars_list(value: Any) -> Any:
    return value.to_list()


def polars_rows(value: Any) -> Any:
    return value.to_dicts()


def arrow_list(value: Any) -> Any:
    """Return an array or a table of Arrow, with an object for each row."""
    return value.to_pylist()


def arrow_scalar(value: Any) -> Any:
    return value.as_py()


def struct(value: Any) -> dict[str, Any] | list[Any]:
    """Return the fields of a msgspec Struct as it comes in, with its tag if it has one."""
    config = value.__struct_config__
    names = zip(value.__struct_encode_fields__, value.__struct_fields__, strict=True)
    fields = {encoded: getattr(value, name) for encoded, name in names}
    if config.tag is not None:
        fields = {config.tag_field: config.tag, **fields}
    return list(fields.values()) if config.array_like else fields


def dataclass(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


def attrs(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in type(value).__attrs_attrs__}


def model(value: Any) -> Any:
    """Return a pydantic model as it describes itself, with the names by which it comes in.

    What pydantic cannot make JSON of stays as it is: the table of types may have it.
    """
    try:
        return value.model_dump(mode="json", by_alias=True)
    except ValueError:  # its PydanticSerializationError is one
        return value.model_dump(by_alias=True)
