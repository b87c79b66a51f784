"""A function's signature as data: parameters, JSON Schema, and why it cannot be called."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pooldeck.docstrings import arguments_of
from pooldeck.functions import FunctionSpec, Options, ParameterKind, ParameterSpec
from pooldeck.text import bounded
from pooldeck.worker.functions.call_signatures import shown
from pooldeck.worker.values import results
from pooldeck.worker.values.bad_result import BadResult
from pooldeck.worker.values.json_schemas import schemas

_DEFAULT_BYTES = 4096
_TEXT_BYTES = 16 * 1024


def describe(
    function: Callable[..., Any],
    signature: inspect.Signature,
    types: Mapping[str, Any],
    options: Options,
    *,
    name: str,
    module: str,
    is_open: bool = False,
) -> FunctionSpec:
    """Describe a registered function.

    Args:
        function: What is called.
        signature: What it takes.
        types: Those of its parameters, by name.
        options: Its options.
        name: What it is called by.
        module: The module that holds it.
        is_open: Whether its schema lets everything through, since nobody knows what it takes.
    """
    found, definitions = schemas(types.values())
    by_name = dict(zip(types, found, strict=True))
    doc = bounded(inspect.getdoc(function) or "", _TEXT_BYTES)
    parameters = [_parameter(p, by_name[p.name]) for p in signature.parameters.values()]
    return FunctionSpec(
        name=name,
        module=module,
        signature=bounded(shown(signature), _TEXT_BYTES),
        doc=doc,
        parameters=parameters,
        schema=_object_schema(parameters, arguments_of(doc), definitions, is_open=is_open),
        options=options,
        is_async=inspect.iscoroutinefunction(function),
        problem=_problem(function),
    )


def _parameter(parameter: inspect.Parameter, schema: dict[str, Any]) -> ParameterSpec:
    kind = ParameterKind[parameter.kind.name]
    has_default = parameter.default is not parameter.empty
    is_variable = kind in {ParameterKind.VAR_POSITIONAL, ParameterKind.VAR_KEYWORD}
    return ParameterSpec(
        name=parameter.name,
        kind=kind,
        required=not has_default and not is_variable,
        schema=schema,
        default=_json_default(parameter.default) if has_default else None,
    )


def _json_default(value: Any) -> str | None:
    """Return a default as JSON text, None where JSON (or a frame) cannot hold it."""
    try:
        encoded = results.encode(value, _DEFAULT_BYTES, depth=8)
        msgspec.msgpack.encode(msgspec.json.decode(encoded))
    except (BadResult, OverflowError):
        return None
    return encoded.decode()


def _object_schema(
    parameters: list[ParameterSpec],
    texts: Mapping[str, str],
    definitions: dict[str, Any],
    *,
    is_open: bool,
) -> dict[str, Any]:
    if is_open:
        return {"type": "object"} | ({"$defs": definitions} if definitions else {})
    named = [p for p in parameters if p.kind is not ParameterKind.VAR_KEYWORD]
    extra = [p.schema for p in parameters if p.kind is ParameterKind.VAR_KEYWORD]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {p.name: _property(p, texts.get(p.name)) for p in named},
        "required": [p.name for p in named if p.required],
        "additionalProperties": (extra[0] or True) if extra else False,
    }
    return schema | {"$defs": definitions} if definitions else schema


def _property(parameter: ParameterSpec, text: str | None) -> dict[str, Any]:
    schema = dict(parameter.schema)
    if parameter.kind is ParameterKind.VAR_POSITIONAL:
        schema = {"type": "array", "items": parameter.schema}
    if parameter.default is not None:
        schema["default"] = msgspec.json.decode(parameter.default)
    if text:
        schema["description"] = text
    return schema


def _problem(function: Callable[..., Any]) -> str | None:
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return "it is a generator: a task returns one result, so make it return a list"
    return None
