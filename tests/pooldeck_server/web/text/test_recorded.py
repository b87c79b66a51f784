"""What the record keeps in English is Chinese on Chinese pages, around the names in it."""

import re
from collections.abc import Iterable
from typing import Final

import pytest

from pooldeck_server.domain.errors import no_pool
from pooldeck_server.domain.failures.incidents import Bystander, StoredIncident, TaskName
from pooldeck_server.domain.notices import Need, Notice
from pooldeck_server.runtime.alerts import watch
from pooldeck_server.web.text.i18n import speaking
from pooldeck_server.web.text.recorded import (
    alert_subject,
    alert_words,
    problem_words,
    reason_words,
)

_NAMES: Final = re.compile(r"\b(acme\.\w+|cpu(-\d+)?|SIG\w+|GiB|t\d|ValueError|py|jobs|render)\b")
_CULPRIT: Final = TaskName("t1", "acme.render")
_OTHER: Final = TaskName("t2", "acme.fetch")


def _death(
    cause: str = "killed by SIGSEGV",
    culprit: TaskName | None = None,
    suspects: Iterable[TaskName] = (),
    hit: Iterable[TaskName] = (),
) -> str:
    incident = StoredIncident(
        id="i1",
        pool="cpu",
        worker="cpu-3",
        pid=42,
        detected_at=0,
        cause=cause,
        signal=11 if "SIG" in cause else None,
        culprit=culprit,
        suspects=tuple(suspects),
        bystanders=tuple(Bystander(each.task, "failed") for each in hit),
    )
    return f"worker cpu-3 {incident.sentence} {incident.circumstances}"


def _is_chinese(text: str) -> bool:
    return re.search("[A-Za-z]{2}", _NAMES.sub("", text)) is None


_DEATHS: Final = (
    _death(),
    _death("exited with code 3", _CULPRIT),
    _death(culprit=_CULPRIT, hit=[_OTHER]),
    _death(suspects=[_CULPRIT], hit=[_CULPRIT]),
    _death(suspects=[_CULPRIT, _OTHER], hit=[_CULPRIT, _OTHER]),
    _death(suspects=[_OTHER]),
    _death("killed by SIGKILL, probably out of memory: at most 1.0 GiB", _CULPRIT),
)
_WATCHED: Final = tuple(
    watch._text(Notice(need, pool="cpu", **more))
    for need, more in (
        (Need.SLOW_WRITES, {"seconds": 3.0}),
        (Need.MISPLACED, {"gain": 3.0, "target": "cpu"}),
        (Need.MISPLACED, {"gain": 3.0}),
        (Need.STARVATION, {"number": 2}),
        (Need.STUCK, {"number": 2}),
        (Need.STUCK, {"function": "acme.render"}),
        (Need.BROKEN, {}),
    )
)


@pytest.mark.parametrize("text", [*_DEATHS, *_WATCHED, "task t1 failed so last"])
def test_what_is_known_of_an_alert_is_translated_around_its_names(text: str) -> None:
    assert alert_words(text) == text
    with speaking("zh-Hans"):
        found = alert_words(text)
    assert _is_chinese(found), found
    kept = {each[0] for each in _NAMES.finditer(text)}
    assert {name for name in kept if name in found} == kept


@pytest.mark.parametrize(
    "subject",
    [
        "ValueError in acme/jobs.py:render (2adb71eec2a72745)",
        "acme.render in pool cpu",
        "pool cpu, culprit unknown",
        "pool cpu",
        "the server",
    ],
)
def test_what_an_alert_is_about_is_translated(subject: str) -> None:
    assert alert_subject(subject) == subject
    with speaking("zh-Hans"):
        assert alert_subject(subject) != subject


def test_why_a_function_cannot_be_called_is_translated() -> None:
    with speaking("zh-Hans"):
        assert _is_chinese(problem_words(no_pool("x", ["cpu"])))
        assert _is_chinese(problem_words("the module acme.jobs could not be loaded: ValueError"))


def test_a_reason_of_the_server_is_translated_and_one_of_a_person_stays_as_it_is() -> None:
    reason = "3 workers died under acme.render within 600 seconds; the last one killed by SIGSEGV"
    assert reason_words(reason) == reason
    with speaking("zh-Hans"):
        assert _is_chinese(reason_words(reason))
        assert reason_words("3 workers died today") == "3 workers died today"
