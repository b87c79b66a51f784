"""What is counted and measured for scrapers alone, since the start of the server."""

from collections import Counter
from dataclasses import dataclass

from pooldeck_server.domain.measurements.cumulative import CumulativeHistogram
from pooldeck_server.runtime.tasks.totals import Totals


@dataclass(frozen=True, kw_only=True, eq=False)
class Figures:
    """Each belongs to the part that adds to it."""

    tasks: Totals
    deaths: "Counter[tuple[str, str]]"  # of workers, by pool and kind
    commits: CumulativeHistogram  # seconds that commits took
    loop_lag: CumulativeHistogram  # seconds that the event loop was late
