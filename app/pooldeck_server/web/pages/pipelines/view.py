"""The page of one pipeline, and the list of them."""

from dataclasses import dataclass
from typing import Any, Final

from pooldeck_server.domain.tasks.pipelines import PipelinePage, StepReport, StoredPipeline
from pooldeck_server.domain.tasks.states import LIVE, State
from pooldeck_server.web.pages.pipelines.graph import (
    pipeline_graph,
    step_href,
    step_state,
    step_words,
)
from pooldeck_server.web.pages.shared.confirmation import Confirmation
from pooldeck_server.web.pages.tasks.address import address
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later, ngettext
from pooldeck_server.web.text.kill import KILL_WHAT_RUNS
from pooldeck_server.web.text.states import state_word

PAGE_SIZE: Final = 20
FLASHES: Final = {
    "cancelled": later("What had not started is cancelled; what runs was asked to end."),
    "killed": later(
        "What had not started is cancelled; what ran was killed, or abandoned where it ran in a "
        "thread."
    ),
}
"""What the page says of what was just done."""


@dataclass(frozen=True)
class StepRow:
    """A step in the table: the same as in the drawing, and more."""

    report: StepReport
    state: State
    words: str
    href: str


@dataclass(frozen=True)
class PipelineRow:
    """A pipeline in the list."""

    pipeline: StoredPipeline
    done: int
    tasks: int
    bad: int


def pipeline_name(pipeline: StoredPipeline) -> str:
    """Return what people call it: its name, or its steps."""
    return pipeline.name or " → ".join(report.step.name for report in pipeline.steps[:4])


def pipeline_context(pipeline: StoredPipeline) -> dict[str, Any]:
    """Return what the page of a pipeline shows."""
    counts = pipeline.counts
    return {
        "pipeline": pipeline,
        "name": pipeline_name(pipeline),
        "is_live": pipeline.state == "running",
        "graph": pipeline_graph(pipeline),
        "steps": [
            StepRow(
                report,
                step_state(report.counts),
                step_words(report),
                step_href(pipeline.id, report),
            )
            for report in pipeline.steps
        ],
        "counts": [(state, counts[state]) for state in State if counts.get(state)],
        "list_href": address("/tasks", [("pipeline", pipeline.id)]),
        "live": sum(counts.get(state, 0) for state in LIVE),
    }


def pipelines_context(found: PipelinePage, *, is_first: bool) -> dict[str, Any]:
    """Return what the list of pipelines shows; `is_first`: this is the newest page."""
    older = found.next_cursor
    return {
        "rows": [_row(pipeline) for pipeline in found.items],
        "name_of": pipeline_name,
        "is_first": is_first,
        "older_href": address("/pipelines", [("cursor", older)]) if older else None,
    }


def _row(pipeline: StoredPipeline) -> PipelineRow:
    counts = pipeline.counts
    bad = counts.get(State.FAILED, 0) + counts.get(State.LOST, 0)
    return PipelineRow(pipeline, counts.get(State.SUCCEEDED, 0), sum(counts.values()), bad)


def cancel_pipeline(pipeline: StoredPipeline) -> Confirmation:
    """Ask before all of a pipeline that has not ended is cancelled."""
    live = sum(pipeline.counts.get(state, 0) for state in LIVE)
    by_state = [
        f"{formats.count(number)} {state_word(state)}"
        for state, number in pipeline.counts.items()
        if state in LIVE
    ]
    what_happens = _("What waits is cancelled; what runs is asked to end itself.")
    return Confirmation(
        section="pipelines",
        heading=_("Cancel %(name)s?", name=pipeline_name(pipeline)),
        sentences=(", ".join(by_state), what_happens) if live else (_("All of it has ended."),),
        action=f"/pipelines/{pipeline.id}/cancel",
        button=ngettext("Cancel %(num)s task", "Cancel %(num)s tasks", live) if live else None,
        back=f"/pipelines/{pipeline.id}",
        check=("kill", _(KILL_WHAT_RUNS)),
        asks_reason=True,
    )
