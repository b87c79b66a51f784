"""The pages of the reference: all calls by group, and one group with each of its calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pooldeck_server.domain.errors import NotFound
from pooldeck_server.web.pages.reference import schemas
from pooldeck_server.web.pages.reference.calls import CallShown
from pooldeck_server.web.pages.reference.prose import Paragraph, pieces
from pooldeck_server.web.pages.reference.schemas import SchemaShown
from pooldeck_server.web.pages.shared.rendering import Page


@dataclass(frozen=True)
class Group:
    """Calls that belong together."""

    name: str
    prose: Paragraph
    calls: tuple[CallShown, ...]


@dataclass(frozen=True)
class ReferenceView(Page):
    """All calls, by group."""

    template = "reference/page.html"
    section = "reference"

    groups: tuple[Group, ...]


@dataclass(frozen=True)
class GroupView(Page):
    """The calls of a group, with all the schemas that they need."""

    template = "reference/group.html"
    section = "reference"

    group: Group
    groups: tuple[Group, ...]
    schemas: tuple[SchemaShown, ...]


def groups(
    document: Mapping[str, Any], calls: Sequence[tuple[str, CallShown]]
) -> tuple[Group, ...]:
    """Return the groups that have a call, in their order."""
    found = (
        Group(
            each["name"],
            pieces(each["description"]),
            tuple(call for name, call in calls if name == each["name"]),
        )
        for each in document["tags"]
    )
    return tuple(group for group in found if group.calls)


def group_view(document: Mapping[str, Any], groups: tuple[Group, ...], name: str) -> GroupView:
    """Return the page of a group.

    Raises:
        NotFound: If there is no such group, or nothing in it for the reader.
    """
    group = next((each for each in groups if each.name == name), None)
    if group is None:
        known = ", ".join(each.name for each in groups)
        raise NotFound(f"the reference has no group {name[:100]}; there are: {known}")
    all_schemas = document["components"]["schemas"]
    needed = schemas.used((each for call in group.calls for each in call.schemas), all_schemas)
    return GroupView(
        group,
        groups,
        tuple(schemas.shown(each, all_schemas[each]) for each in sorted(needed)),
    )
