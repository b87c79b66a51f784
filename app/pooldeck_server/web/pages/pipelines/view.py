"""The page of one pipeline, and the list of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pooldeck_server.domain.tasks.pipelines import PipelinePage, StepReport, StoredPipeline
from pooldeck_server.domain.tasks.states import LIVE, State
from pooldeck_server.web.pages.shared.address import address, further
from pooldeck_server.web.pages.shared.confirmation import Confirmation
from pooldeck_server.web.pages.shared.flash import FLASHES
from pooldeck_server.web.pages.shared.graph import (
    Graph,
    pipeline_graph,
    pipeline_name,
    step_href,
    step_state,
    step_words,
)
from pooldeck_server.web.pages.shared.rendering import Page
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, ngettext
from pooldeck_server.web.text.kill_questions import KILL_WHAT_RUNS
from pooldeck_server.web.text.states import state_word


@dataclass(frozen=True)
class StepRow:
    """A step in the table: the same as in the drawing, and more."""

    report: StepReport
    state: State
    words: str
    href: str


@dataclass(frozen=True)
class PipelineView(Page):
    """A pipeline: its steps as a drawing, and how far they are."""

    template = "pipelines/pipeline.html"
    section = "pipelines"
    flashes = FLASHES["pipeline"]

    pipeline: StoredPipeline
    name: str
    graph: Graph
    steps: tuple[StepRow, ...]
    counts: tuple[tuple[State, int], ...]
    list_href: str
    live: int


@dataclass(frozen=True)
class PipelinesView(Page):
    """The list of pipelines; `is_first`: this is the newest page."""

    template = "pipelines/page.html"
    section = "pipelines"

    rows: Sequence[tuple[StoredPipeline, str]]  # each with its name
    is_first: bool
    older_href: str | None


@dataclass(frozen=True)
class PipelineConfirmation(Confirmation):
    """A question about a pipeline."""

    section = "pipelines"


def pipeline_view(pipeline: StoredPipeline) -> PipelineView:
    counts = pipeline.counts
    return PipelineView(
        pipeline=pipeline,
        name=pipeline_name(pipeline),
        graph=pipeline_graph(pipeline),
        steps=tuple(
            StepRow(
                report,
                step_state(report.counts),
                step_words(report),
                step_href(pipeline.id, report),
            )
            for report in pipeline.steps
        ),
        counts=tuple((state, counts[state]) for state in State if counts.get(state)),
        list_href=address("/tasks", [("pipeline", pipeline.id)]),
        live=sum(counts.get(state, 0) for state in LIVE),
    )


def pipelines_view(found: PipelinePage, *, is_first: bool) -> PipelinesView:
    older = further("/pipelines", [], found.next_cursor)
    return PipelinesView([(each, pipeline_name(each)) for each in found.items], is_first, older)


def cancel_pipeline(pipeline: StoredPipeline) -> PipelineConfirmation:
    live = sum(pipeline.counts.get(state, 0) for state in LIVE)
    by_state = [
        f"{formats.count(number)} {state_word(state)}"
        for state, number in pipeline.counts.items()
        if state in LIVE
    ]
    what_happens = _("What waits is cancelled; what runs is asked to end itself.")
    return PipelineConfirmation(
        heading=_("Cancel %(name)s?", name=pipeline_name(pipeline)),
        sentences=(", ".join(by_state), what_happens) if live else (_("All of it has ended."),),
        action=f"/pipelines/{pipeline.id}/cancel",
        button=ngettext("Cancel %(num)s task", "Cancel %(num)s tasks", live) if live else None,
        back=f"/pipelines/{pipeline.id}",
        check=("kill", _(KILL_WHAT_RUNS)),
        asks_reason=True,
    )
