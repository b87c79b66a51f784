"""The list of experiments."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from pooldeck_server.domain.clock import seconds
from pooldeck_server.domain.measurements.experiments import ExperimentState, StoredExperiment
from pooldeck_server.web.text.experiments import conclusion, now_words, state_words
from pooldeck_server.web.text.kinds import kind_words

_MARKS: Final = {
    ExperimentState.RUNNING: "running",
    ExperimentState.FINISHED: "succeeded",
    ExperimentState.STOPPED: "cancelled",
    ExperimentState.FAILED: "failed",
}
"""The state of a task whose mark an experiment has."""


@dataclass(frozen=True)
class ExperimentRow:
    """An experiment in the list; `best` is the recommended size, empty where there is none."""

    experiment: StoredExperiment
    mark: str
    state: str
    best: str
    words: str
    seconds: float | None


def mark_of(experiment: StoredExperiment) -> str:
    """Return the state of a task whose mark an experiment has."""
    return _MARKS[experiment.state]


def listing_context(
    experiments: Sequence[StoredExperiment], functions: Sequence[str], function: str
) -> dict[str, Any]:
    """Return what the list shows.

    Args:
        experiments: The newest first.
        functions: The names of all functions.
        function: The one that the list is narrowed to; empty for all.
    """
    return {
        "rows": tuple(_row(each) for each in experiments),
        "functions": functions,
        "function": function,
    }


def _row(it: StoredExperiment) -> ExperimentRow:
    choice, ended = it.choice, it.finished_at
    is_running = it.state is ExperimentState.RUNNING
    return ExperimentRow(
        experiment=it,
        mark=mark_of(it),
        state=state_words(it.state),
        best="" if choice is None else kind_words(choice.kind).counted(choice.size),
        words=now_words(it) if is_running else conclusion(it),
        seconds=None if ended is None else seconds(ended - it.created_at),
    )
