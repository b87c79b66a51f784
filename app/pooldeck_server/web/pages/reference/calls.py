"""The calls of the OpenAPI document, as somebody may make them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from pooldeck_server.domain.access import Principal, Role
from pooldeck_server.web.http.rules import may, rules_at
from pooldeck_server.web.pages.reference import schemas
from pooldeck_server.web.pages.reference.commands import command_of
from pooldeck_server.web.pages.reference.prose import Paragraph, first_sentence, paragraphs, pieces
from pooldeck_server.web.pages.reference.schemas import FieldRow, TypePart
from pooldeck_server.web.pages.shared.snippets import Snippets, of_body, of_call
from pooldeck_server.web.text.i18n import _
from pooldeck_server.web.text.snippets.call import API, Address, Call

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_PLACE: Final = re.compile(r"\{(\w+)\}")
_SUBMIT: Final = ("POST", f"{API}/tasks")  # the one that clients have a word of their own for
_FIRST_ERROR: Final = 400
_NO_VALUE: Final = object()


class Body(Struct, frozen=True):
    """What a call takes; `example` is JSON that people can read."""

    type: tuple[TypePart, ...]
    is_required: bool
    fields: tuple[FieldRow, ...]
    example: str | None


class AnswerShown(Struct, frozen=True):
    """An answer of a call: its status, what it means, and what is in it."""

    status: str
    prose: Paragraph
    type: tuple[TypePart, ...]


class CallShown(Struct, frozen=True):
    """A call: how it is made, what comes back, who may make it, and how to write it."""

    id: str
    method: str
    path: str
    summary: Paragraph
    prose: tuple[Paragraph, ...]
    role: Role | None
    parameters: tuple[FieldRow, ...]
    body: Body | None
    answers: tuple[AnswerShown, ...]
    errors: tuple[AnswerShown, ...]
    snippets: Snippets
    schemas: tuple[str, ...]  # the names of those that it refers to


def calls(
    document: Mapping[str, Any], principal: Principal, address: Address
) -> Iterator[tuple[str, CallShown]]:
    """Yield each call that a principal may make, with the group that it belongs to."""
    for path, operations in document["paths"].items():
        for method in _METHODS:
            operation = operations.get(method)
            if operation is not None and may(method.upper(), path, principal):
                yield (
                    operation["tags"][0],
                    _call(method.upper(), path, operation, document, address),
                )


def _call(
    method: str,
    path: str,
    operation: Mapping[str, Any],
    document: Mapping[str, Any],
    address: Address,
) -> CallShown:
    described = operation.get("description", operation["summary"])
    answers = tuple(_answer(*each) for each in operation["responses"].items())
    id_ = operation["summary"].lower().replace(" ", "-")
    return CallShown(
        id=id_,
        method=method,
        path=path,
        summary=first_sentence(described),
        prose=paragraphs(described),
        role=_role(method, path),
        parameters=tuple(map(_parameter, operation.get("parameters", ()))),
        body=_body(operation, document["components"]["schemas"]),
        answers=tuple(each for each in answers if int(each.status) < _FIRST_ERROR),
        errors=tuple(each for each in answers if int(each.status) >= _FIRST_ERROR),
        snippets=_snippets(id_, method, path, operation, address),
        schemas=tuple(dict.fromkeys(schemas.references(operation))),
    )


def _role(method: str, path: str) -> Role | None:
    """Return the least role that may make a call; None where everybody may."""
    roles = [rule.least for rule in rules_at(path).get(method, ()) if rule.least is not None]
    return max(roles, key=list(Role).index, default=None)


def _parameter(parameter: Mapping[str, Any]) -> FieldRow:
    schema = dict(parameter["schema"])
    if "description" in parameter:
        schema["description"] = parameter["description"]
    is_required = parameter.get("required", False)
    return schemas.field(parameter["name"], schema, is_required=is_required, where=parameter["in"])


def _body(operation: Mapping[str, Any], known: Mapping[str, Any]) -> Body | None:
    asked = operation.get("requestBody")
    if asked is None:
        return None
    content = asked["content"]["application/json"]
    name = next(schemas.references(content["schema"]), "")
    return Body(
        type=schemas.type_parts(content["schema"]),
        is_required=asked.get("required", False),
        fields=schemas.fields(known.get(name, {})),
        example=_example(content),
    )


def _example(content: Mapping[str, Any]) -> str | None:
    example = content.get("example", _NO_VALUE)
    if example is _NO_VALUE:
        return None
    return msgspec.json.format(msgspec.json.encode(example), indent=2).decode()


def _answer(status: str, described: Mapping[str, Any]) -> AnswerShown:
    content: Mapping[str, Any] = next(iter(described.get("content", {}).values()), {})
    schema = content.get("schema", {})
    is_error = int(status) >= _FIRST_ERROR
    return AnswerShown(
        status,
        pieces(described["description"]),
        schemas.type_parts(schema) if schema and not is_error else (),
    )


def _snippets(
    id_: str, method: str, path: str, operation: Mapping[str, Any], address: Address
) -> Snippets:
    """Return a call as texts to copy, with words in capitals where names and ids are to stand."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    example = content.get("example", _NO_VALUE)
    body = None if example is _NO_VALUE else msgspec.json.encode(example)
    if body is not None and (method, path) == _SUBMIT:
        return of_body(id_, _("Copy"), address, body)
    filled = _PLACE.sub(lambda found: found[1].upper(), path)
    call = Call(method, filled, body=body)
    return of_call(id_, _("Copy"), address, call, *command_of(method, path))
