"""A task among others, on its page: the drawing, and what it means for it in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from pooldeck_server.domain.tasks.dependencies import RelatedTasks, StoredDependencies
from pooldeck_server.domain.tasks.pipelines import StoredPipeline
from pooldeck_server.domain.tasks.states import State
from pooldeck_server.domain.tasks.task import StoredTask
from pooldeck_server.web.pages.shared.graph import (
    Graph,
    neighbours_graph,
    pipeline_graph,
    pipeline_name,
)
from pooldeck_server.web.pages.shared.json_text import JsonText, json_text
from pooldeck_server.web.text.i18n import _, ngettext


@dataclass(frozen=True)
class LinkWords:
    """A sentence, which may end with a link."""

    text: str
    href: str = ""
    label: str = ""


@dataclass(frozen=True)
class Links:
    """What the page of a task shows of those before and after it, and of its pipeline."""

    graph: Graph | None
    pipeline: StoredPipeline | None
    pipeline_name: str
    words: tuple[LinkWords, ...]
    more: str
    given: tuple[JsonText, ...]


def links(task: StoredTask, around: RelatedTasks, pipeline: StoredPipeline | None) -> Links:
    """Return a task among others: what is right before and after it, and its pipeline, if any."""
    return Links(
        graph=_graph(task, around, pipeline),
        pipeline=pipeline,
        pipeline_name="" if pipeline is None else pipeline_name(pipeline),
        words=tuple(_sentences(task, task.dependencies)) if task.dependencies else (),
        more="" if pipeline is not None else _more(around),
        given=tuple(_given(task.dependencies)) if task.dependencies else (),
    )


def _graph(task: StoredTask, around: RelatedTasks, pipeline: StoredPipeline | None) -> Graph | None:
    if pipeline is not None and task.dependencies is not None:
        return pipeline_graph(pipeline, here=task.dependencies.step)
    return neighbours_graph(task, around)


def _sentences(task: StoredTask, link: StoredDependencies) -> Iterator[LinkWords]:
    if link.stopped_by is not None:
        words = _("It was cancelled, since a task that it comes after did not succeed:")
        yield LinkWords(words, f"/tasks/{link.stopped_by}", link.stopped_by)
    elif link.items == 0:
        yield LinkWords(_("The list that it should go over is empty: there was nothing to do."))
    elif task.state is State.SCHEDULED and link.released_at is None and link.is_fan:
        # that it waits, and for what, is said above
        yield LinkWords(
            _("It stands for all items of a list that is not known yet, and becomes the first.")
        )


def _more(around: RelatedTasks) -> str:
    hidden = around.before_count + around.after_count - len(around.before) - len(around.after)
    if not hidden:
        return ""
    return ngettext("%(num)s more is not drawn.", "%(num)s more are not drawn.", hidden)


def _given(link: StoredDependencies) -> Iterator[JsonText]:
    """Yield the arguments as they were submitted, where results took places in them."""
    for text in (link.given_args, link.given_kwargs):
        if text is not None and text not in {"[]", "{}"}:
            yield json_text(text)
