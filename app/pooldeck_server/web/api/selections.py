"""Which tasks a change of many is for: a filter, ids, or expressly all of them."""

from collections.abc import Sequence
from typing import Annotated, TypeAlias, TypeVar

from msgspec import Meta, Struct

from pooldeck_server.domain.errors import InvalidRequest, TooLarge
from pooldeck_server.domain.tasks.filter import TaskFilter
from pooldeck_server.domain.tasks.names import Name
from pooldeck_server.settings import LimitSettings
from pooldeck_server.web.api.bodies import Reason, read
from pooldeck_server.web.api.filters import Filter

Ids: TypeAlias = Annotated[tuple[Name, ...], Meta(description="Ids of tasks.")]
All: TypeAlias = Annotated[bool, Meta(description="True: all tasks, instead of a filter.")]


class BulkRetry(Struct, frozen=True, forbid_unknown_fields=True):
    """Which tasks to run again: exactly one of `filter`, `ids` and `all`."""

    filter: Filter | None = None
    ids: Ids | None = None
    all: All = False
    reason: Reason | None = None


class BulkCancel(BulkRetry, frozen=True, forbid_unknown_fields=True):
    """Which tasks to cancel: exactly one of `filter`, `ids` and `all`.

    With `kill`, those that run are ended too, for the `reason` that is given.
    """

    kill: bool = False


class BulkDelete(BulkRetry, frozen=True, forbid_unknown_fields=True):
    """Which final tasks to delete: exactly one of `filter`, `ids` and `all`.

    With `dry_run` nothing is deleted: `matched` says how many have ended, and `outcomes` is empty.
    """

    dry_run: bool = False


B = TypeVar("B", bound=BulkRetry)


def read_bulk_cancel(body: bytes, limits: LimitSettings) -> BulkCancel:
    """Decode which tasks to cancel; raises as `read_selection`."""
    return read_selection(BulkCancel, body, limits)


def read_bulk_retry(body: bytes, limits: LimitSettings) -> BulkRetry:
    """Decode which tasks to run again; raises as `read_selection`."""
    return read_selection(BulkRetry, body, limits)


def read_bulk_delete(body: bytes, limits: LimitSettings) -> BulkDelete:
    """Decode which tasks to delete; raises as `read_selection`."""
    return read_selection(BulkDelete, body, limits)


def read_selection(model: type[B], body: bytes, limits: LimitSettings) -> B:
    """Decode the body of a change of many; `limits.batch_tasks` are the most ids.

    Raises:
        MalformedJson: If the body is not strict JSON, or nested too deeply.
        InvalidRequest: If it does not say which tasks; an empty filter does not.
        TooLarge: If there are too many ids.
    """
    request = read(model, body, limits)
    _check_choice(request)
    if len(request.ids or ()) > limits.batch_tasks:
        raise TooLarge(
            f"ids: {len(request.ids or ())} are more than the {limits.batch_tasks} that a call "
            "may name; send several, or a filter",
            field="/ids",
        )
    return request


def selected(request: BulkRetry) -> TaskFilter | Sequence[str]:
    if request.ids is not None:
        return request.ids
    return request.filter.as_filter() if request.filter else TaskFilter()


def _check_choice(request: BulkRetry) -> None:
    """Refuse a request that does not say in one way which tasks are meant."""
    given = [request.filter is not None, request.ids is not None, request.all]
    if given.count(True) > 1:
        raise InvalidRequest("filter, ids, all: only one of them may be given")
    if not any(given):
        raise InvalidRequest('say which tasks: "filter" or "ids", or "all": true to mean all')
    if request.filter is not None and request.filter.as_filter() == TaskFilter():
        raise InvalidRequest(
            'filter: it is empty; say "all": true instead of it to mean all', field="/filter"
        )
