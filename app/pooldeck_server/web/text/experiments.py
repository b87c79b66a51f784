"""An experiment's findings in sentences: in the reader's language, for the API in English."""

from collections.abc import Iterator
from typing import Final

from pooldeck.kinds import KINDS
from pooldeck_server.domain.measurements.experiments import (
    BestSize,
    ExperimentState,
    MeasuredSize,
    Scaling,
    StoredExperiment,
)
from pooldeck_server.web.text import formats
from pooldeck_server.web.text.i18n import _, later, ngettext
from pooldeck_server.web.text.kinds import kind_words

_BUSY: Final = 0.5  # tasks in the server's own pools, on average, that are said to have disturbed
_NOISY: Final = 0.1  # relative standard error from which on the figures are said to waver
_OTHERS: Final = 0.25  # share of the CPUs that other programs must take to be spoken of
_LAW_FITS: Final = 0.9  # share of the differences that the law must explain to be called a fit
_STATES: Final = {
    ExperimentState.RUNNING: later("running"),
    ExperimentState.FINISHED: later("finished"),
    ExperimentState.STOPPED: later("stopped"),
    ExperimentState.FAILED: later("failed"),
}
_ENDINGS: Final = {
    "person": later("It was stopped by hand; what was measured before is shown."),
    "server": later("The server ended while it ran; what was measured before is shown."),
    "limit": later("Its time was over before all sizes were tried."),
}


def state_words(state: ExperimentState) -> str:
    return _(_STATES[state])


def per_second(throughput: float) -> str:
    return _("%(rate)s calls a second", rate=formats.rate(throughput))


def conclusion(experiment: StoredExperiment) -> str:
    """Return in one sentence what was found, or why nothing was."""
    choice = experiment.choice
    if choice is None:
        return _without_a_choice(experiment)
    found = _(
        "%(slots)s: %(rate)s",
        slots=kind_words(choice.kind).counted(choice.size),
        rate=per_second(choice.throughput),
    )
    clauses = f"{found}{_against_the_others(experiment, choice)}{_beyond(experiment, choice)}"
    return _("%(clauses)s.", clauses=clauses)


def _without_a_choice(experiment: StoredExperiment) -> str:
    match experiment.state:
        case ExperimentState.RUNNING:
            return _("Nothing has been measured yet.")
        case ExperimentState.STOPPED:
            return _("It was stopped before anything was measured.")
    if experiment.troubles:
        return _("Nothing could be measured: %(words)s.", words=experiment.troubles[0].words)
    return _("Nothing could be measured.")


def _against_the_others(experiment: StoredExperiment, choice: BestSize) -> str:
    """Return what the best of the other kinds would be against the chosen one, as a clause."""
    others = [each for each in experiment.scalings if each.kind != choice.kind]
    if choice.gain is None or not others:
        return ""
    second = kind_words(max(others, key=lambda each: each.knee_throughput).kind).many
    ratio = formats.rate(choice.gain)
    if choice.is_close:
        return _(
            ", about as many as %(others)s reach (%(ratio)s times), and cheaper",
            others=second,
            ratio=ratio,
        )
    return _(", %(ratio)s times what %(others)s reach", ratio=ratio, others=second)


def _beyond(experiment: StoredExperiment, choice: BestSize) -> str:
    steps = experiment.of_kind(choice.kind)
    further = next((step for step in steps if step.size > choice.size), None)
    if further is None:
        return _("; no larger size was tried") if len(steps) > 1 else ""
    return _("; %(slots)s are %(change)s", slots=further.size, change=_change(choice, further))


def _change(choice: BestSize, further: MeasuredSize) -> str:
    share = round(100 * (further.throughput / choice.throughput - 1))
    if share > 0:
        return _("only %(percent)s faster", percent=formats.percent(share))
    if share < 0:
        return _("%(percent)s slower", percent=formats.percent(-share))
    return _("no faster")


def remarks(experiment: StoredExperiment) -> Iterator[str]:
    """Yield what one should know to judge the figures."""
    for trouble in experiment.troubles:
        yield _(
            "%(slots)s could not be measured: %(words)s.",
            slots=kind_words(trouble.kind).counted(trouble.size),
            words=trouble.words,
        )
    if experiment.ended_by is not None:
        yield _(_ENDINGS[experiment.ended_by])
    yield from _doubts(experiment)
    if errors := sum(step.errors for step in experiment.steps):
        yield ngettext(
            "%(num)s call failed and does not count.",
            "%(num)s calls failed and do not count.",
            errors,
        )
    busy = max((step.busy for step in experiment.steps), default=0.0)
    if busy >= _BUSY:
        yield _(
            "The server's own pools ran up to %(n)s tasks at a time meanwhile: with an idle server"
            " the figures would be higher.",
            n=formats.rate(busy),
        )


def _doubts(experiment: StoredExperiment) -> Iterator[str]:
    noise = max((step.noise for step in experiment.steps if step.throughput), default=0.0)
    if noise > _NOISY:
        yield _(
            "The throughput wavered: the standard error is up to %(share)s. Measure each size for"
            " longer, or when the machine has less to do.",
            share=formats.percent(100 * noise),
        )
    others = max((step.others for step in experiment.steps), default=0.0)
    if others >= _OTHERS * experiment.cpus:
        yield _(
            "Everything else on the machine took up to %(others)s of %(cpus)s CPUs meanwhile.",
            others=formats.rate(others),
            cpus=experiment.cpus,
        )
    choice = experiment.choice
    if choice is not None and KINDS[choice.kind].gils(choice.size) > experiment.cpus:
        yield ngettext(
            "That is more processes than the %(num)s CPU: it pays only where calls wait.",
            "That is more processes than the %(num)s CPUs: it pays only where calls wait.",
            experiment.cpus,
        )


def law_words(scaling: Scaling) -> str:
    """Return what the fitted law says beside the measured knee."""
    law = scaling.law
    if law is None:
        return _("The law needs three sizes.")
    if law.r_squared < _LAW_FITS:
        return _(
            "The law does not describe it: it explains %(share)s of the differences.",
            share=formats.percent(100 * law.r_squared),
        )
    return _(
        "The law has its knee at %(knee)s: %(contention)s must be done one after the other, and"
        " keeping each pair in step costs %(coherency)s.",
        knee=scaling.law_knee,
        contention=_share(law.contention),
        coherency=_share(law.coherency),
    )


def _share(value: float) -> str:
    """Return a share in percent with the digits that small ones need."""
    return f"{100 * value:.2g} %" if value < 0.1 else formats.percent(100 * value)  # noqa: PLR2004 - a tenth


def now_words(experiment: StoredExperiment) -> str:
    now = experiment.now
    if now is None:
        return _("Starting.") if experiment.state is ExperimentState.RUNNING else ""
    what = kind_words(now.kind).counted(now.size)
    return (
        _("Measuring %(slots)s once more.", slots=what)
        if now.is_again
        else _("Measuring %(slots)s.", slots=what)
    )
