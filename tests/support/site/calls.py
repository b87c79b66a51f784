"""The calls of the HTTP API, as its OpenAPI document describes them: Markdown for one page."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from bench.documents import table

Document = Mapping[str, Any]

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_PREFIX: Final = "#/components/schemas/"
_BOUNDS: Final = {
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "to {}",
    "exclusiveMaximum": "below {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
}


def described(document: Document) -> str:
    """Return a section for each group of calls, and one with all that they take and give."""
    groups = (_group(document, tag) for tag in document["tags"])
    schemas = document["components"]["schemas"]
    parts = [_schema(name, schemas[name]) for name in sorted(schemas)]
    return "\n\n".join([*groups, "## What goes in and out", *parts])


def _group(document: Document, tag: Mapping[str, str]) -> str:
    calls = [
        _call(method, path, call)
        for path, methods in document["paths"].items()
        for method in _METHODS
        if (call := methods.get(method)) and tag["name"] in call["tags"]
    ]
    return "\n\n".join([f"## {tag['name'].capitalize()}", tag["description"], *calls])


def _call(method: str, path: str, call: Document) -> str:
    anchor = call["operationId"]
    parts = [
        f"### `{method.upper()} {path}` {{ #{anchor} }}",
        call.get("description", call["summary"]),
        _parameters(call.get("parameters", ())),
        _body(call.get("requestBody", {}).get("content", {})),
        _answers(call["responses"]),
    ]
    return "\n\n".join(part for part in parts if part)


def _parameters(parameters: Iterable[Document]) -> str:
    rows = [
        (
            f"`{each['name']}`",
            each["in"],
            _type(each["schema"]),
            _default(each["schema"], is_required=each.get("required", False)),
            _cell(each.get("description", "")),
        )
        for each in parameters
    ]
    return table(["parameter", "in", "takes", "default", "meaning"], rows) if rows else ""


def _body(content: Mapping[str, Document]) -> str:
    said = ", or ".join(f"{_type(each['schema'])} (`{kind}`)" for kind, each in content.items())
    examples = [each["example"] for each in content.values() if "example" in each]
    shown = (f"\n\n```json\n{json.dumps(each, indent=2)}\n```" for each in examples)
    return f"**Body**: {said}{''.join(shown)}" if said else ""


def _answers(responses: Mapping[str, Document]) -> str:
    rows = (
        (status, _gives(answer), _cell(answer["description"]))
        for status, answer in sorted(responses.items())
    )
    return table(["answer", "gives", "when"], rows)


def _gives(answer: Document) -> str:
    return ", ".join(
        _type(each["schema"]) if each.get("schema") else f"`{kind}`"
        for kind, each in answer.get("content", {}).items()
    )


def _schema(name: str, schema: Document) -> str:
    required = schema.get("required", ())
    rows = [
        (
            f"`{field}`",
            _type(each),
            _default(each, is_required=field in required),
            _cell(_words(each)),
        )
        for field, each in schema.get("properties", {}).items()
    ]
    parts = [
        f"### {name} {{ #{_anchor(name)} }}",
        schema.get("description", ""),
        table(["field", "type", "default", "meaning"], rows) if rows else _type(schema),
    ]
    return "\n\n".join(part for part in parts if part)


def _type(schema: Document) -> str:
    """Return what a value may be, in a few words; that of another schema leads there."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_PREFIX)
        return f"[{name}](#{_anchor(name)})"
    if kinds := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return " or ".join(dict.fromkeys(map(_type, kinds)))
    if "enum" in schema:
        return " or ".join(f"`{_json(each)}`" for each in schema["enum"])
    return ", ".join([_plain(schema), *_bounds(schema)])


def _plain(schema: Document) -> str:
    match schema.get("type"):
        case "array":
            return f"array of {_type(schema.get('items') or {})}"
        case "object" if isinstance(schema.get("additionalProperties"), Mapping):
            return f"object of {_type(schema['additionalProperties'])}"
        case None:
            return "any JSON"
        case kind:
            return schema.get("format") or str(kind)


def _bounds(schema: Document) -> Iterator[str]:
    for name, words in _BOUNDS.items():
        if name in schema:
            yield words.format(schema[name])


def _words(schema: Document) -> str:
    """Return what is said of a value, or else of its kinds."""
    said = [
        schema.get("description"),
        *(each.get("description") for each in schema.get("anyOf", ())),
    ]
    return next(filter(None, said), "")


def _default(schema: Document, *, is_required: bool) -> str:
    if is_required:
        return "required"
    return f"`{_json(schema['default'])}`" if "default" in schema else ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _anchor(name: str) -> str:
    return f"schema-{name.lower()}"
