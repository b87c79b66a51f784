"""The list of incidents, and one of them."""

from typing import Any, Final

from app.domain.incidents import Incident, IncidentPage
from app.web.contexts.tasks import address

PAGE_SIZE: Final = 50


def incidents_context(page: IncidentPage, pool: str, *, is_first: bool) -> dict[str, Any]:
    """Return what the list of incidents shows.

    Args:
        page: What was found.
        pool: The pool whose incidents these are, empty for all.
        is_first: Whether this is the newest page.
    """
    chosen = [("pool", pool)] if pool else []
    older = page.next_cursor
    return {
        "incidents": page.items,
        "pool": pool,
        "is_first": is_first,
        "newest_href": address("/incidents", chosen),
        "older_href": address("/incidents", [*chosen, ("cursor", older)]) if older else None,
        "recovery": recovery_seconds,
    }


def incident_context(incident: Incident) -> dict[str, Any]:
    """Return what the page of one incident shows."""
    return {"incident": incident, "recovery": recovery_seconds}


def recovery_seconds(incident: Incident) -> float | None:
    """Return how long its pool was not whole; None while it is not."""
    return None if incident.recovery_ms is None else incident.recovery_ms / 1000
