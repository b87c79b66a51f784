"""The report of an incident as plain text, to be pasted into a ticket or a message."""

from collections.abc import Iterable, Iterator, Sequence

from pooldeck_server.domain.failures.incidents import StoredIncident
from pooldeck_server.web.text import formats


def report_text(incident: StoredIncident, sentences: Iterable[str], tasks: Sequence[str]) -> str:
    """Return a report as text.

    Args:
        incident: The incident.
        sentences: What happened.
        tasks: A line for each task that lost its worker.
    """
    parts = [
        f"{incident.worker} {incident.cause}",
        "\n".join(sentences),
        "\n".join(_facts(incident)),
        "\n".join(tasks),
        incident.traceback or "",
    ]
    return "\n\n".join(part.strip() for part in parts if part)


def _facts(incident: StoredIncident) -> Iterator[str]:
    yield f"noticed: {formats.moment(incident.detected_at)}"
    if incident.recovered_at is not None:
        yield f"pool whole again: {formats.moment(incident.recovered_at)}"
    yield f"pool: {incident.pool}"
    yield f"process id: {incident.pid}"
    if incident.signal is not None:
        yield f"signal: {incident.signal}"
    if incident.exit_code is not None:
        yield f"exit code: {incident.exit_code}"
    yield f"peak memory: {formats.size(incident.peak_rss_bytes)}"
    yield f"incident: {incident.id}"
